"""Reads of imported votes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from django.db.models import Count, Q, QuerySet

from arena.exports.filters import Filters
from arena.models import ImportedVote
from arena.types import VoteSource
from ranking.cells import WORDS
from ranking.models import Board
from ranking.tally import Tally
from ranking.types import Criterion, Outcome

_COLUMNS = {Criterion.OVERALL: "winner", Criterion.CONTENT: "content", Criterion.LANGUAGE: "language"}
_CHUNK_ROWS = 200


def imported_votes(board: Board, filters: Filters | None = None) -> Iterator[ImportedVote]:
    """The board's votes, or those that *filters* choose, by time and id: the same order on every machine.

    One query through a cursor of the database's, so memory does not grow with them. It reads one state of the table, however many are imported meanwhile.
    """
    votes = _chosen(board, filters).order_by("cast_at", "external_id")
    return votes.iterator(chunk_size=_CHUNK_ROWS)


def imported_counts(board: Board, filters: Filters) -> tuple[int, int]:
    """How many votes are chosen, of how many voters. One query."""
    found = _chosen(board, filters).aggregate(
        votes=Count("pk"), voters=Count("voter", distinct=True, filter=~Q(voter=""))
    )
    return found["votes"], found["voters"]


def source_of(board: Board) -> VoteSource | None:
    """The layout that the board's votes came in, if it holds any. One query."""
    found = ImportedVote.objects.filter(board=board).values_list("source", flat=True).first()
    return None if found is None else VoteSource(found)


def _chosen(board: Board, filters: Filters | None) -> QuerySet[ImportedVote]:
    """The cut-off asks when votes were imported, so that a later import does not change a repeat; other times, when they were cast."""
    votes = ImportedVote.objects.filter(board=board)
    if filters is None:
        return votes
    votes = votes.filter(imported_at__lte=filters.cutoff)
    if filters.since is not None:
        votes = votes.filter(cast_at__gte=filters.since)
    if filters.until is not None:
        votes = votes.filter(cast_at__lt=filters.until)
    if filters.level is not None:
        votes = votes.filter(language_level=filters.level.value)
    return votes


def row_as_given(vote: ImportedVote) -> dict[str, Any]:
    """The row that the vote was read from, in the layout of its source; a level or an education that nobody said is null."""
    row: dict[str, Any] = {
        "id": vote.external_id,
        "timestamp": vote.timestamp,
        "model_a": vote.model_a,
        "model_b": vote.model_b,
        "winner": _word(vote.winner),
    }
    if vote.source == VoteSource.LMARENA.value:
        return row | {"conversation_a": vote.conv_a, "conversation_b": vote.conv_b, **vote.extra}
    own = {
        "username": vote.voter,
        "user_language": vote.language_level or None,
        "user_education": vote.education or None,
        "conv_a": vote.conv_a,
        "conv_b": vote.conv_b,
        "winner_content": _word(vote.content),
        "winner_language": _word(vote.language),
    }
    return row | own | dict(vote.extra)


def _word(outcome: str) -> str:
    return WORDS[Outcome(outcome)]


def imported_tallies(board: Board) -> dict[Criterion, Tally]:
    """The board's votes counted, by each criterion that they have. A query a criterion."""
    tallies = {criterion: _tally(board, column) for criterion, column in _COLUMNS.items()}
    return {criterion: tally for criterion, tally in tallies.items() if tally.n_votes}


def _tally(board: Board, column: str) -> Tally:
    counted = list(
        ImportedVote.objects.filter(board=board)
        .exclude(**{column: ""})
        .values_list("model_a", "model_b", column)
        .annotate(n=Count("pk"))
    )
    names = tuple(sorted({name for model_a, model_b, _, _ in counted for name in (model_a, model_b)}))
    place = {name: index for index, name in enumerate(names)}
    counts = np.zeros((len(names), len(names), len(Outcome)), dtype=np.int64)
    for model_a, model_b, outcome, n in counted:
        counts[place[model_a], place[model_b], Outcome(outcome).place] = n
    return Tally(names, counts)
