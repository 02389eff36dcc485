"""One holder at a time of a data folder's services."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from arena.embedded.errors import LockTimeout
from arena.embedded.processes import wait_until


@contextmanager
def exclusive(path: Path, *, within_s: float = 60) -> Iterator[None]:
    """Hold the file's lock; the kernel frees it when the process ends. Raises ``LockTimeout``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:

        def taken() -> bool:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        if not wait_until(taken, within_s=within_s):
            raise LockTimeout(f"another process has held {path} for {within_s:.0f} s; is a start stuck?")
        yield
