"""The learning rate over a run: warm-up, then a cosine with a floor, by steps or by the clock."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from training.parts import Schedule


def multiplier(progress: float, *, warmup: float, floor: float) -> float:
    """What the highest learning rate is multiplied by.

    Parameters
    ----------
    progress
        How much of the run is behind, from 0 to 1; more counts as 1.
    warmup
        Share of the run over which it rises linearly from 0 to 1.
    floor
        What it is at the end.

    Notes
    -----
    ``floor + (1 - floor) * (1 + cos(pi * p)) / 2`` with ``p = (progress - warmup) / (1 - warmup)``: the cosine of Loshchilov and Hutter (2017), which
    the study ran with warm-up 0.1 and floor 0.33.
    """
    progress = min(max(progress, 0.0), 1.0)
    if progress < warmup:
        return progress / warmup
    rest = 1 - warmup
    behind = (progress - warmup) / rest if rest else 1.0
    return floor + (1 - floor) * (1 + math.cos(math.pi * behind)) / 2


class Pace(Protocol):
    """How far a run has come, of so many of a unit."""

    @property
    def total(self) -> int:
        """Steps or seconds of the whole run."""

    @property
    def unit(self) -> str:
        """``step`` or ``s``."""

    def progress(self, step: int) -> float:
        """From 0 to 1, after so many steps."""

    def is_over(self, step: int) -> bool:
        """Whether the run ends with this step."""


@dataclass(frozen=True, slots=True)
class BySteps:
    """A run of a known number of steps."""

    steps: int
    unit: str = field(default="step", init=False)

    @property
    def total(self) -> int:
        return self.steps

    def progress(self, step: int) -> float:
        return step / self.steps

    def is_over(self, step: int) -> bool:
        return step >= self.steps


@dataclass(slots=True)
class BySeconds:
    """A run of a known time: the schedule follows what has passed, so that the floor is reached as it ends.

    Parameters
    ----------
    seconds
        Of wall clock, evaluations and saves included, the time before an interruption too, the pause after it not.
    before
        Seconds that the run had when it was resumed.
    agree
        Makes one number of every process's; the first one's, so that all have one learning rate and one end.
    """

    seconds: int
    before: float = 0.0
    clock: Callable[[], float] = time.monotonic
    agree: Callable[[float], float] = field(default=lambda seconds: seconds)
    unit: str = field(default="s", init=False)
    _started: float = field(init=False)
    _read_at: int = field(default=-1, init=False)
    _elapsed: float = field(default=0.0, init=False)
    _step_s: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._started = self.clock()
        self._elapsed = self.before

    @property
    def total(self) -> int:
        return self.seconds

    def progress(self, step: int) -> float:
        """The clock is read once a step, so that everything in a step sees the same time."""
        if step != self._read_at:
            earlier, self._elapsed = self._elapsed, self.agree(self.before + self.clock() - self._started)
            self._step_s = self._elapsed - earlier
            self._read_at = step
        return self._elapsed / self.seconds

    def is_over(self, step: int) -> bool:
        """Where the next step would end further from the time than this one did."""
        self.progress(step)
        return self._elapsed + self._step_s / 2 >= self.seconds


def learning_rate(pace: Pace, schedule: Schedule) -> Callable[[int], float]:
    """The multiplier after so many steps, as PyTorch's ``LambdaLR`` asks for it."""
    return lambda step: multiplier(pace.progress(step), warmup=schedule.warmup, floor=schedule.floor)
