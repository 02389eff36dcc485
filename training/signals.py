"""Signals that ask a run to save and stop: SIGTERM from a person or a scheduler, SIGUSR1 from Slurm ahead of the end of a job."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

ASKS = (signal.SIGTERM, signal.SIGUSR1)
INTERRUPTED = 75
"""The exit status of a run that saved and stopped because it was asked to: EX_TEMPFAIL, try again."""
HUNG = 124
"""That of ``watch`` where a run hangs: the status of timeout(1)."""


class StopRequest:
    """Whether this process was asked to stop; as a context, it listens.

    The first signal only sets a flag, so that the step that is running ends and a checkpoint is written. Further ones change nothing. Outside the
    main thread it hears nothing, since only the main thread may handle signals.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __bool__(self) -> bool:
        return self.signal is not None

    @property
    def name(self) -> str:
        """The signal's name, or that another process had it."""
        return self.signal.name if self.signal else "another process's signal"

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            self._before = {each: signal.signal(each, self._hear) for each in ASKS}
        return self

    def __exit__(self, *exception: object) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self.signal = self.signal or signal.Signals(number)
