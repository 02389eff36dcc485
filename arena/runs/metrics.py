"""``metrics.jsonl``, however long it is: read whole where it is short, else at even distances, and never held whole."""

from __future__ import annotations

import itertools
import json
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

WHOLE = 4 * 2**20
"""A file of at most so many bytes is read whole."""
POINTS = 240
"""At most so many points are kept of each kind of line."""
SCANNED = 256 * 2**20
"""So many bytes at the end of a longer file are looked through for evaluations, which are far apart."""
MOST_LINE = 64 * 1024
_CHUNK = 2**20
_MARK = b'"evaluation"'

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Metrics:
    """Lines by rising step: of training, and of evaluation. *is_sampled*: there are more of the former than are here."""

    steps: tuple[Line, ...] = ()
    evaluations: tuple[Line, ...] = ()
    is_sampled: bool = False


def number(line: Line, key: str) -> float | None:
    """A finite number of a line, if it is one."""
    found = line.get(key)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return float(found) if abs(found) < 1e300 and math.isfinite(found) else None


def read(path: Path) -> Metrics:
    """The points of a file. Lines that are no metrics, such as one that is being written, are passed over."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if size > WHOLE:
            sampled, evaluations = _by_step(_sampled(file, size)), _by_step(_evaluations(file, size))
            return Metrics(sampled, _thinned(evaluations), is_sampled=True)
        file.seek(0)
        lines = [line for raw in file.read(WHOLE).split(b"\n") if (line := _parsed(raw))]
    steps = _by_step(line for line in lines if "evaluation" not in line)
    evaluations = _by_step(line for line in lines if "evaluation" in line)
    return Metrics(_thinned(steps), _thinned(evaluations), is_sampled=len(steps) > POINTS)


def last(path: Path) -> Line | None:
    """The last whole line of training, if there is one near the end."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 2 * MOST_LINE))
        lines = file.read(2 * MOST_LINE).split(b"\n")
    return next(_first(reversed(lines)), None)


def _parsed(raw: bytes) -> Line | None:
    try:
        line = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(line, dict) or number(line, "step") is None:
        return None
    return line | {"step": int(line["step"])}


def _sampled(file: BinaryIO, size: int) -> Iterator[Line]:
    """The first line of training after each of so many even places, and the last."""
    for place in range(POINTS - 1):
        file.seek(round(size * place / (POINTS - 1)))
        lines = file.read(2 * MOST_LINE).split(b"\n")
        yield from _first(lines[1:] if place else lines)
    file.seek(size - 2 * MOST_LINE)
    yield from _first(reversed(file.read(2 * MOST_LINE).split(b"\n")))


def _first(lines: Iterable[bytes]) -> Iterator[Line]:
    """The first line of training among these, if there is one."""
    found = (line for raw in lines if (line := _parsed(raw)) and "evaluation" not in line)
    return itertools.islice(found, 1)


def _evaluations(file: BinaryIO, size: int) -> Iterator[Line]:
    file.seek(max(0, size - SCANNED))
    rest = b""
    while chunk := file.read(_CHUNK):
        whole, _, rest = (rest + chunk).rpartition(b"\n")
        rest = rest[-MOST_LINE:]  # of a line that is too long nothing whole is left
        if _MARK in whole:
            found = (_parsed(each) for each in whole.split(b"\n") if _MARK in each)
            yield from (line for line in found if line)


def _by_step(lines: Iterator[Line]) -> tuple[Line, ...]:
    """One line a step, the last that was written: a run that was resumed may have written some twice."""
    by_step = {line["step"]: line for line in lines}
    return tuple(by_step[step] for step in sorted(by_step))


def _thinned(lines: Sequence[Line]) -> tuple[Line, ...]:
    """At most ``POINTS`` of them at even distances, both ends among them."""
    if len(lines) <= POINTS:
        return tuple(lines)
    return tuple(lines[round(place * (len(lines) - 1) / (POINTS - 1))] for place in range(POINTS))
