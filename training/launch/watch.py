"""Finds that a run hangs: its processes wait for each other, and nobody writes a heartbeat any more."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from training import registry
from training.errors import Hung

EVERY_S = 15.0


class Pulse:
    """How long a run has been silent.

    By this machine's clock and since it was first looked at: an old heartbeat of a run that is about to be resumed counts as none, and clocks that differ
    between nodes do no harm.
    """

    def __init__(self, run: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._run, self._clock = run, clock
        self._last, self._since = self._beat(), clock()

    def silent_s(self) -> float:
        """Seconds since a heartbeat that was not there before; what cannot be read moves nothing."""
        beat, now = self._beat(), self._clock()
        if beat is not None and beat != self._last:
            self._last, self._since = beat, now
        return now - self._since

    def _beat(self) -> datetime | None:
        run = registry.read(self._run).run
        return run.heartbeat_at if run else None


def watch(
    run: Path,
    *,
    limit_s: float,
    goes_on: Callable[[], bool],
    act: Callable[[], None],
    pulse: Pulse | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Look at a run's heartbeat until the run is over.

    Parameters
    ----------
    run
        Its folder, which need not be there yet.
    limit_s
        Seconds that it may be silent.
    goes_on
        Whether there still is something to watch.
    act
        What is done to a run that hangs, after ``run.json`` says that it failed.

    Raises
    ------
    Hung
    """
    pulse = pulse or Pulse(run)
    while goes_on():
        silent = pulse.silent_s()
        if silent > limit_s:
            said = f"no heartbeat for {silent:.0f} s"
            registry.mark(
                run,
                status="failed",
                ended_at=datetime.now(UTC).isoformat(timespec="seconds"),
                error=f"Hung: {said}",
            )
            act()
            raise Hung(f"{run}: {said}: the run hangs")
        pause(min(EVERY_S, max(limit_s / 4, 0.05)))


def is_unfinished(run: Path) -> bool:
    """Whether a run's file does not say that it ended; so too where there is none yet."""
    found = registry.read(run).run
    return found is None or found.status in {"prepared", "running"}
