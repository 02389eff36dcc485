"""Judgements with what was around them: who voted, what was asked, and what speaks against each vote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from ranking import cells
from ranking.ballots import Ballots
from ranking.errors import BadInput
from ranking.filters import ExclusionReason, Reasons, mask_of
from ranking.rows import Row, Table
from ranking.types import Criterion

COLUMNS = (
    *("criterion", "was_asked", "winner", "model_a", "model_b", "username", "campaign", "timestamp"),
    *("exclusions", "display", "user_language", "user_education", "turns", "prompt"),
    *("prompt_chars", "prompt_language"),
)
"""The columns of the export layout ``judgements`` that are read."""

Words = NDArray[np.str_]


@dataclass(frozen=True, slots=True, eq=False)
class Judgements:
    """The judgements of one criterion, in the order in which they were cast, those that do not count included.

    Parameters
    ----------
    ballots
        ``n`` judgements, without weights; every voter is known.
    reasons
        Shape ``(n,)``: what stands against each, as bits of :class:`ranking.filters.ExclusionReason`.
    seconds
        Shape ``(n,)``: when each was cast, in seconds since 1970.
    campaigns, levels, educations, languages, displays
        Shape ``(n,)``: the campaign; what the voter declared that day, empty where nothing is said; the language of the first message, as measured, empty
        where it was not; how answers were shown.
    turns, chars
        Shape ``(n,)``: how many messages there were, and the characters of the first.
    prompts
        Shape ``(n,)``: equal where the first messages are.
    """

    ballots: Ballots
    reasons: Reasons
    seconds: NDArray[np.float64]
    campaigns: Words
    levels: Words
    educations: Words
    languages: Words
    displays: Words
    turns: NDArray[np.int64]
    chars: NDArray[np.int64]
    prompts: NDArray[np.int64]

    @property
    def n(self) -> int:
        return self.ballots.n_votes

    @property
    def n_users(self) -> int:
        return len(np.unique(self.ballots.user))

    def taken(self, chosen: NDArray[np.bool_]) -> Judgements:
        """Those that a mask of shape ``(n,)`` chooses, with the models that occur in them."""
        part = self.ballots.take(chosen)
        occurring = np.unique(np.concatenate([part.a, part.b])).astype(np.int64)
        return Judgements(
            part.among(occurring),
            *(self.reasons[chosen], self.seconds[chosen], self.campaigns[chosen], self.levels[chosen]),
            *(self.educations[chosen], self.languages[chosen], self.displays[chosen]),
            *(self.turns[chosen], self.chars[chosen], self.prompts[chosen]),
        )


def are_judgements(table: Table) -> bool:
    """Whether rows are of the export layout ``judgements``: one a criterion, which no other layout names beside its winner."""
    return {"criterion", "was_asked", "winner"} <= set(table.columns)


def read_judgements(table: Table, criterion: Criterion) -> Judgements:
    """The judgements of one criterion in rows of the export layout ``judgements``.

    Raises
    ------
    BadInput
        With line and column.
    """
    table.need(*COLUMNS)
    rows = [(line, row) for line, row in table.rows if _text(line, row, "criterion") == criterion.value]
    pairs = [cells.models(line, row) for line, row in rows]
    names = tuple(sorted({name for pair in pairs for name in pair}))
    place = {name: index for index, name in enumerate(names)}
    ballots = Ballots(
        names,
        np.array([place[model_a] for model_a, _ in pairs], dtype=np.int64),
        np.array([place[model_b] for _, model_b in pairs], dtype=np.int64),
        np.array([cells.outcome(line, row, "winner").place for line, row in rows], dtype=np.int64),
        _numbered(rows, "username"),
    )
    return Judgements(
        ballots,
        reasons=np.array([_reasons(line, row) for line, row in rows], dtype=np.uint16),
        seconds=np.array([_moment(line, row) for line, row in rows], dtype=np.float64),
        campaigns=_words(rows, "campaign"),
        levels=_words(rows, "user_language"),
        educations=_words(rows, "user_education"),
        languages=_words(rows, "prompt_language"),
        displays=_words(rows, "display"),
        turns=_counts(rows, "turns"),
        chars=_counts(rows, "prompt_chars"),
        prompts=_numbered(rows, "prompt"),
    )


def _words(rows: Sequence[Row], column: str) -> Words:
    return np.array([_text(line, row, column) for line, row in rows], dtype=np.str_)


def _counts(rows: Sequence[Row], column: str) -> NDArray[np.int64]:
    return np.array([cells.count(line, row, column) for line, row in rows], dtype=np.int64)


def _numbered(rows: Sequence[Row], column: str) -> NDArray[np.int64]:
    """Equal texts alike, from 0."""
    return np.unique(_words(rows, column), return_inverse=True)[1].astype(np.int64)


def _text(line: int, row: cells.Cells, column: str) -> str:
    found = row.get(column)
    if not isinstance(found, str):
        raise BadInput(f"{cells.shown(found)} is not a text", line=line, column=column)
    return found


def _reasons(line: int, row: cells.Cells) -> int:
    found = row.get("exclusions")
    known = {reason.value for reason in ExclusionReason}
    if not isinstance(found, list) or not all(isinstance(each, str) and each in known for each in found):
        raise BadInput(f"{cells.shown(found)} is no list of reasons", line=line, column="exclusions")
    return mask_of(ExclusionReason(each) for each in found)


def _moment(line: int, row: cells.Cells) -> float:
    written = _text(line, row, "timestamp")
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        raise BadInput(f"{cells.shown(written)} is not a moment", line=line, column="timestamp") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
