"""Child processes that the kernel ends with their parent, and records of them that the next start can check."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(sig: signal.Signals = signal.SIGTERM) -> Callable[[], None]:
    """A ``preexec_fn``: the child gets *sig* when its parent's main thread ends, however it ends.

    Raises ``RuntimeError`` in any other thread: the kernel would send *sig* as soon as that one ends, and the parent goes on.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("start this process from the main thread: it ends with the thread that starts it")
    parent = os.getpid()

    def arrange() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, sig)
        if os.getppid() != parent:  # the parent died before the line above
            os.kill(os.getpid(), sig)

    return arrange


def spawn(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    output: int | IO[bytes],
    death_signal: signal.Signals | None = signal.SIGTERM,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, so that Ctrl-C reaches it through us alone.

    With *death_signal* ``None`` it outlives us.
    """
    return subprocess.Popen(  # prctl is a plain system call; main thread, before any other thread
        list(argv),
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=cwd,
        start_new_session=True,
        # a plain system call in the child, made from the main thread
        preexec_fn=die_with_parent(death_signal) if death_signal else None,  # noqa: PLW1509  # see above
    )


def end(
    process: subprocess.Popen[bytes], *, sig: signal.Signals = signal.SIGTERM, within_s: float = 10
) -> int:
    """Stop a child, first politely, then for good. Returns its exit status."""
    if process.poll() is None:
        process.send_signal(sig)
        try:
            process.wait(within_s)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()
