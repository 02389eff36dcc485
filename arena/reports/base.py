"""What a report is: tables that can be taken away, figures drawn from them, and why there are none where there are none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from django.utils.functional import Promise

from ranking.board import BoardResult
from ranking.models import Board, Snapshot
from ranking.tables import Table, Value
from ranking.tally import Tally
from ranking.types import Criterion

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Source:
    """What a page is asked for: one board and one criterion, their counts and ratings as they stand, and what the visitor asked in the address.

    No page reads single votes: what rests on those was stored when the board was published.
    """

    board: Board
    criterion: Criterion
    tally: Tally
    result: BoardResult
    query: Mapping[str, str] = field(default_factory=dict)


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
    """Sections in order; *reason* says why there are none.

    *published* is the board that stored numbers belong to, ``None`` where there are none; *live* says whether there are others, computed at this moment.
    *waiting* says that the sections follow by themselves. *facts* are single numbers, for the file of JSON.
    """

    sections: tuple[Section, ...] = ()
    reason: Text = ""
    published: Snapshot | None = None
    live: bool = True
    waiting: bool = False
    facts: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """A report's address, its title, its first line, and how it is computed.

    *offered* says whether a board's kind of data allows it. *form* is a template with fields for ``Source.query``, whose names are in *asks*.
    """

    slug: str
    title: Text
    lead: Text
    build: Callable[[Source], Report]
    offered: Callable[[Board], bool] = field(default=lambda _: True)
    form: str = ""
    asks: tuple[str, ...] = ()
