"""Work for other processes, in a module that is loaded in no time."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

Worker = Callable[[Any], dict[str, Any]]


def make_counter() -> Worker:
    """Works on numbers, and tells in which process; ends it at 3."""
    made = os.getpid()

    def work(task: int) -> dict[str, Any]:
        if task == 3:
            os._exit(7)
        return {"task": task, "process": os.getpid(), "made": made}

    return work


def make_waiter() -> Worker:
    """Says its process number into a FIFO, and holds it open for ever."""

    def work(task: str) -> dict[str, Any]:
        with Path(task).open("w") as fifo:
            fifo.write(f"{os.getpid()}\n")
            fifo.flush()
            threading.Event().wait()
        return {}

    return work
