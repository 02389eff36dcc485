"""What the kernel knows of a process and its children: CPU time and memory; and which cores a child may use."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

_LOOK_S = 0.5
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> Iterator[int]:
    """The process and all that descend from it."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text(encoding="ascii").split():
            yield from family(int(child))


def cpu_s(pid: int) -> float:
    """User and system seconds of the family so far."""
    ticks = 0
    for each in family(pid):
        fields = Path(f"/proc/{each}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS_A_SECOND


def busy_s(cores: Iterable[int]) -> float:
    """Seconds that these cores worked so far, for anybody."""
    lines = (line.split() for line in Path("/proc/stat").read_text(encoding="ascii").splitlines())
    names = {f"cpu{core}" for core in cores}
    # user, nice, system; interrupts and what a hypervisor took
    ticks = sum(int(line[place]) for line in lines if line[0] in names for place in (1, 2, 3, 6, 7, 8))
    return ticks / _TICKS_A_SECOND


def wait_until_idle(pid: int, *, share: float = 0.1, within_s: float = 30) -> None:
    """Until the family hardly works any more, so that one load's rest is no part of the next."""
    end, before = time.monotonic() + within_s, cpu_s(pid)
    while time.monotonic() < end:
        time.sleep(_LOOK_S)  # the kernel tells nobody when a process rests: it is looked at
        now = cpu_s(pid)
        if now - before <= share * _LOOK_S:
            return
        before = now


def peak_mb(pid: int) -> int:
    """The most memory that the family held since :func:`forget_peak`, or ever where the kernel forgets nothing."""
    kib = 0
    for each in family(pid):
        status = Path(f"/proc/{each}/status").read_text(encoding="utf-8")
        kib += int(status.partition("VmHWM:")[2].split()[0])
    return kib // 1024


def forget_peak(pid: int) -> None:
    for each in family(pid):
        with contextlib.suppress(OSError):  # not every kernel lets us
            Path(f"/proc/{each}/clear_refs").write_text("5", encoding="ascii")


@contextlib.contextmanager
def children_on(cores: set[int]) -> Iterator[None]:
    """Processes that are started inside the block run on these cores alone."""
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, own)
