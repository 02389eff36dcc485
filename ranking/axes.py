"""Scales of pictures with two axes: round ends, round steps, and where a value lies. Lengths are text, as in :mod:`ranking.plot`."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10

from ranking.plot import units

MOST_STEPS = 7


@dataclass(frozen=True, slots=True)
class Mark:
    """A line of a scale: how far along it lies, and the value that it stands for, which is written with *decimals*."""

    at: str
    value: float
    decimals: int


@dataclass(frozen=True, slots=True)
class Axis:
    """Values from *first* to *last*, drawn from *start* to *end* in SVG user units; *end* may be the smaller one."""

    first: float
    last: float
    step: float
    start: float
    end: float

    def at(self, value: float) -> float:
        share = (value - self.first) / (self.last - self.first)
        return self.start + share * (self.end - self.start)

    def marks(self) -> tuple[Mark, ...]:
        decimals = max(0, -floor(log10(self.step)))
        values = [
            self.first + place * self.step for place in range(round((self.last - self.first) / self.step) + 1)
        ]
        return tuple(Mark(units(self.at(value)), round(value, decimals), decimals) for value in values)


def axis(least: float, most: float, *, start: float, end: float) -> Axis:
    """The scale from *least* to *most*, both finite, widened to steps of 1, 2 or 5 times a power of ten: at most nine of them."""
    step = _step(most - least, max(abs(least), abs(most)))
    first = floor(least / step) * step
    last = ceil(most / step) * step
    return Axis(first, last if last > first else first + step, step, start, end)


def _step(span: float, size: float) -> float:
    """A round step; where all values are one, of the size of that value."""
    least = max(span / MOST_STEPS, size * 1e-6) or 1.0
    power: float = 10.0 ** floor(log10(least))
    return next(power * each for each in (1, 2, 5, 10) if power * each >= least * (1 - 1e-9))
