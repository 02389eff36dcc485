"""Processes of this machine: whether one goes on, who its children are, and how a tree of them ends."""

from __future__ import annotations

import contextlib
import os
import signal

import psutil  # type: ignore[import-untyped]  # accelerate brings it, without types


def goes_on(pid: int) -> bool:
    """Whether there is such a process, one that ended and was not waited for left out."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def tell_children(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process's own children."""
    for child in _children(pid, recursive=False):
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)


def kill_tree(pid: int) -> None:
    """Kill a process and all below it, whatever sessions they made for themselves: stopped first, so that none makes others."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for each in (pid, *_children(pid, recursive=True)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, number)


def _children(pid: int, *, recursive: bool) -> list[int]:
    try:
        return [each.pid for each in psutil.Process(pid).children(recursive=recursive)]
    except psutil.NoSuchProcess:
        return []
