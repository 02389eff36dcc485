"""All that is computed when a board is published, in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from arena.numbers import basque, filters, planner, quality, sampling, slices, style
from arena.numbers.material import Counts, Votes
from ranking.models import Board
from ranking.numbers import Numbers
from ranking.types import BoardKind, Criterion

Compute = Callable[[Counts, Criterion], Numbers]


def _always(_board: Board, _criterion: Criterion) -> bool:
    return True


def _of_votes(board: Board, _criterion: Criterion) -> bool:
    return board.kind == BoardKind.LIVE.value


def _of_draws(board: Board, criterion: Criterion) -> bool:
    return board.kind == BoardKind.LIVE.value and criterion is Criterion.OVERALL


@dataclass(frozen=True, slots=True)
class Part:
    """The numbers of a *report*, or of the part of it that *name* names, and on which boards there are any."""

    report: str
    name: str
    compute: Compute
    applies: Callable[[Board, Criterion], bool] = _always


def _from_votes(compute: Callable[[Votes, Criterion], Numbers]) -> Compute:
    def computed(material: Counts, criterion: Criterion) -> Numbers:
        if not isinstance(material, Votes):
            raise TypeError("of an imported board, counts alone are known")
        return compute(material, criterion)

    return computed


PARTS: tuple[Part, ...] = (
    Part("quality", "", quality.compute),
    Part(basque.REPORT, "", _from_votes(basque.compute), _of_votes),
    Part("filters", "", _from_votes(filters.compute), _of_votes),
    *(Part("slices", way, _from_votes(partial(slices.compute, way=way)), _of_votes) for way in slices.WAYS),
    Part("style", "", _from_votes(style.compute), _of_votes),
    Part("planner", "", planner.compute),
    Part("sampling", "", sampling.compute, _of_draws),
)


def parts_of(board: Board, criterion: Criterion) -> list[Part]:
    return [part for part in PARTS if part.applies(board, criterion)]
