"""What every part that starts servers asks of a process or a file's lock; nothing here is a child's own. Standard library only."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def birth(pid: int) -> str | None:
    """When a process was started, in the kernel's ticks since boot: with the pid it names a process for good.

    ``None`` for none, or a dead one that nobody has asked after.
    """
    fields = stat(pid)
    return None if fields is None else fields[19]


def stat(pid: int) -> list[str] | None:
    """The fields of a living process's ``/proc/PID/stat``, from its state on; see proc_pid_stat(5)."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = told.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} else fields


def wait_until(ready: Callable[[], bool], *, within_s: float, step_s: float = 0.02) -> bool:
    """Ask until *ready* or the time is up; whether it was."""
    deadline = time.monotonic() + within_s
    while not ready():
        if time.monotonic() > deadline:
            return False
        time.sleep(step_s)  # a server that is up, a stranger's process that ended: neither tells
    return True


@contextmanager
def locked(path: Path, *, within_s: float) -> Iterator[None]:
    """Hold a file's lock, which the kernel frees with the process.

    Raises
    ------
    TimeoutError
        Another process held it all the time.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:

        def taken() -> bool:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        if not wait_until(taken, within_s=within_s):
            raise TimeoutError(path)
        yield
