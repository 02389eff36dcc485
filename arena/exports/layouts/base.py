"""What a layout is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from arena.exports.fields import Field
from arena.exports.pseudonyms import Pseudonyms, Published
from arena.exports.records import Id, Record
from arena.types import Side
from inference.types import Message
from ranking.types import Outcome

Row = dict[str, Any]


class Kind(Enum):
    """Which battles a layout is made of."""

    VOTED = "voted"
    UNVOTED = "unvoted"


@dataclass(frozen=True, slots=True)
class Context:
    """What all rows of a file share.

    Parameters
    ----------
    pseudonyms
        For people and ids.
    suppressed
        What of a row's level and education may stand, by how many people share them; see :mod:`arena.exports.suppression`.
    """

    pseudonyms: Pseudonyms | Published
    suppressed: Callable[[str, str], tuple[str, str]]

    def id(self, record: Record, part: Id | None = None) -> str:
        return self.pseudonyms.id(part or record.id)

    def person(self, record: Record) -> str:
        return self.pseudonyms.name(record.person)

    def prompt(self, record: Record) -> str:
        """What battles with the same first message share, spaces around it aside; empty where there is none."""
        return self.pseudonyms.text(record.turns[0].text.strip(" ")) if record.turns else ""


@dataclass(frozen=True, slots=True)
class Layout:
    """A name, its columns, and the rows that a record becomes, in the order of its columns. Records come as :mod:`arena.exports.cleaning` makes them.

    Parameters
    ----------
    keeps_excluded
        Whether votes that do not count are rows as well, with the reasons.
    has_texts
        Whether rows hold what was written: then both models' answers must be free to publish.
    is_sanitized
        Whether personal details are taken out of texts.
    """

    name: str
    about: str
    fields: Sequence[Field]
    rows: Callable[[Record, Context], Iterable[Row]]
    kind: Kind = Kind.VOTED
    keeps_excluded: bool = False
    has_texts: bool = True
    is_sanitized: bool = True


def chat(messages: Iterable[Message]) -> list[dict[str, str]]:
    return [{"role": each.role.value, "content": each.content} for each in messages]


def moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def better(outcome: Outcome) -> Side | None:
    """The side that won, if one did."""
    return {Outcome.A_BETTER: Side.A, Outcome.B_BETTER: Side.B}.get(outcome)
