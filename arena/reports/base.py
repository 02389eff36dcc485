"""What a report is: tables that can be taken away, figures drawn from them, and why there are none where there are none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from django.utils.functional import Promise

from arena.selectors.ballots import VoteTable, vote_table
from ranking.board import BoardResult
from ranking.models import Board
from ranking.tables import Table
from ranking.tally import Tally
from ranking.types import BoardKind, Criterion

Text = str | Promise


@dataclass(frozen=True)
class Source:
    """What a report is computed from: one board, one criterion, as they stand, and what the visitor asked in the address."""

    board: Board
    criterion: Criterion
    tally: Tally
    result: BoardResult
    query: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def votes(self) -> VoteTable | None:
        """All votes of a live board, read when first asked for: seconds on a board of a million. ``None`` where only counts were imported."""
        return vote_table(self.board) if self.board.kind == BoardKind.LIVE.value else None


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture: the partial template that draws *geometry*, and what a reader who does not see it is told."""

    template: str
    geometry: object
    label: Text


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, what it says in a sentence, its picture if there is one, its table."""

    title: Text
    table: Table
    text: Text = ""
    figure: Figure | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Sections in order; *reason* says why there are none."""

    sections: tuple[Section, ...] = ()
    reason: Text = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A report's address, its title, its first line, and how it is computed.

    *offered* says whether a board's kind of data allows it. A *slow* one reads single votes or simulates: its result is kept for ten minutes. *form* is
    a template with fields for ``Source.query``, whose names are in *asks*.
    """

    slug: str
    title: Text
    lead: Text
    build: Callable[[Source], Report]
    offered: Callable[[Board], bool] = field(default=lambda _: True)
    slow: bool = False
    form: str = ""
    asks: tuple[str, ...] = ()
