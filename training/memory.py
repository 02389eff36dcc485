"""How much memory a process has held."""

from __future__ import annotations

import resource
from pathlib import Path


def peak_mb() -> int:
    """The most memory that this process has held, in units of 2**20 bytes.

    Linux's ``getrusage`` starts a process with the peak of the one that started it, so the kernel's own figure of this one is read where there is one.
    """
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) // 1024
    except (OSError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
