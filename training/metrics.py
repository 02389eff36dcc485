"""What a run says of itself while it goes: sums over a window of steps, and lines of JSON."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from training.memory import peak_mb

Reduce = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True, slots=True)
class Window:
    """Sums over the steps since the last log, over all processes.

    Parameters
    ----------
    nats, learnt
        By source: summed losses and learnt tokens.
    seen
        Tokens of any source, padding left out.
    keys
        Keys that these attended to, summed.
    """

    nats: tuple[float, ...]
    learnt: tuple[int, ...]
    seen: int
    keys: int

    @property
    def loss(self) -> float:
        """Nats a learnt token."""
        return sum(self.nats) / max(sum(self.learnt), 1)

    def by_source(self, names: Sequence[str]) -> dict[str, float]:
        """Nats a learnt token for each source that had any."""
        rows = zip(names, self.nats, self.learnt, strict=True)
        return {name: round(nats / count, 6) for name, nats, count in rows if count}


class Tally:
    """Adds up on the device what a window needs; nothing is copied or reduced before the window is taken.

    Parameters
    ----------
    sources
        How many there are.
    reduce
        Sums a tensor over processes; all of them take windows at the same steps.
    """

    def __init__(self, sources: int, reduce: Reduce) -> None:
        self._sources, self._reduce = sources, reduce
        self._sums: torch.Tensor | None = None

    def add(
        self, nats: torch.Tensor, learnt: torch.Tensor, sources: torch.Tensor, positions: torch.Tensor
    ) -> None:
        """One batch: ``nats`` and ``learnt`` of shape ``(sources,)``, ``sources`` and ``positions`` of shape ``(rows, length)``."""
        real = sources.ge(0)
        rest = torch.stack([real.sum(), ((positions + 1) * real).sum()]).to(nats)
        sums = torch.cat([nats, learnt, rest])
        self._sums = sums if self._sums is None else self._sums + sums

    def take(self) -> Window | None:
        """The sums since the last time; None where nothing was added."""
        if self._sums is None:
            return None
        sums = self._reduce(self._sums).tolist()
        self._sums = None
        counts = tuple(round(each) for each in sums[self._sources : 2 * self._sources])
        return Window(tuple(sums[: self._sources]), counts, round(sums[-2]), round(sums[-1]))


class Stopwatch:
    """Seconds spent on steps; evaluations and saves stop it."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._from: float | None = clock()
        self._sum = 0.0

    def __enter__(self) -> None:
        """What takes place inside does not count."""
        self._sum += self._clock() - (self._from or 0.0)
        self._from = None

    def __exit__(self, *exception: object) -> None:
        self._from = self._clock()

    def lap(self) -> float:
        """Seconds since the last lap."""
        now = self._clock()
        sum_, self._sum, self._from = self._sum + now - (self._from or now), 0.0, now
        return sum_


class MetricsFile:
    """``metrics.jsonl``: one object a line, written whole."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, line: dict[str, Any]) -> None:
        """Add a line with the time of now; a number that JSON has not, as of a loss that overflowed, becomes null."""
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        stamped = _finite({"step": line["step"], "time": time} | line)
        with self._path.open("a") as file:
            file.write(json.dumps(stamped, ensure_ascii=False, allow_nan=False) + "\n")

    def cut_after(self, step: int) -> None:
        """Forget what comes after a step: a run that goes on from a checkpoint writes those steps anew."""
        if not self._path.exists():
            return
        kept = [line for line in self._path.read_text().splitlines() if _step_of(line) <= step]
        beside = self._path.with_suffix(".part")
        beside.write_text("".join(f"{line}\n" for line in kept))
        os.replace(beside, self._path)  # noqa: PTH105  # atomic, and says so


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _step_of(line: str) -> float:
    """The step of a line; one that was cut short by a crash belongs to no step."""
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")


def memory_mb(device: torch.device) -> int:
    """Peak memory so far: of the device, or of the process on a CPU."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_reserved(device) // 2**20)
    return peak_mb()
