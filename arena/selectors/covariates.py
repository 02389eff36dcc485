"""What differs between the two answers of each vote, measured on the stored texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from django.db.models import FilteredRelation, Q
from numpy.typing import NDArray

from arena.models import Answer, Vote
from arena.types import AnswerStatus, Side
from inference.models import Candidate
from ranking.ballots import Ballots
from ranking.covariates import count_markdown
from ranking.models import Board
from ranking.types import Criterion, Outcome

MOST_VOTES = 50_000
_CHUNK = 1_000  # battles whose texts are in memory at once
MEASURES = ("length", "headers", "lists", "bold", "latency")
_PLACE = {side.value: place for place, side in enumerate(Side)}

Measured = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class StyledVotes:
    """The newest votes that count, oldest first, and what was measured on their answers.

    Parameters
    ----------
    ballots
        ``n`` votes on one criterion.
    measures
        From a measure's name to its values for A and for B, shape ``(n,)`` each, over all turns of the battle: *length* in characters, *headers*, *lists* and
        *bold* as counts, *latency* as the mean time to the first words in milliseconds.
    n_counted
        How many votes count; more than ``n`` where older ones were left out.
    n_untimed
        Of the ``n``, those without a latency on one side: there both sides have 0, so that they do not differ.
    """

    ballots: Ballots
    measures: dict[str, tuple[Measured, Measured]]
    n_counted: int
    n_untimed: int


def styled_votes(board: Board, criterion: Criterion, *, most: int = MOST_VOTES) -> StyledVotes:
    """The board's newest votes that count with their answers' measures. Three queries, and one for each thousand battles; no more texts are held."""
    counted = Vote.objects.filter(battle__campaign__board=board, counted=True)
    rows = _newest(board, criterion, most)
    battles = [row[0] for row in rows]
    measured = _measured(battles)
    untimed = np.isnan(measured[:, :, MEASURES.index("latency")]).any(axis=1)
    measured[untimed, :, MEASURES.index("latency")] = 0.0
    return StyledVotes(
        ballots=_ballots(rows),
        measures={name: (measured[:, 0, at], measured[:, 1, at]) for at, name in enumerate(MEASURES)},
        n_counted=max(counted.count(), len(rows)),
        n_untimed=int(untimed.sum()),
    )


def _newest(board: Board, criterion: Criterion, most: int) -> list[tuple[Any, ...]]:
    votes = Vote.objects.filter(battle__campaign__board=board, counted=True)
    outcome = "winner"
    if criterion is not Criterion.OVERALL:
        judged = FilteredRelation("judgements", condition=Q(judgements__criterion=criterion.value))
        votes, outcome = votes.annotate(judged=judged), "judged__outcome"
    columns = ("battle_id", "battle__candidate_a_id", "battle__candidate_b_id", outcome, "participant_id")
    return [*votes.order_by("-created_at", "-pk").values_list(*columns)[:most]][::-1]


def _ballots(rows: Sequence[tuple[Any, ...]]) -> Ballots:
    codes = dict(Candidate.objects.values_list("pk", "code"))
    models = tuple(sorted({codes[each] for row in rows for each in row[1:3]}))
    place = {pk: models.index(code) for pk, code in codes.items() if code in models}
    users = {each: number for number, each in enumerate(dict.fromkeys(row[4] for row in rows))}
    return Ballots(
        models,
        np.array([place[row[1]] for row in rows], dtype=np.int64),
        np.array([place[row[2]] for row in rows], dtype=np.int64),
        np.array([Outcome(row[3]).place for row in rows], dtype=np.int64),
        np.array([users[row[4]] for row in rows], dtype=np.int64),
    )


def _measured(battles: Sequence[UUID]) -> Measured:
    """Shape ``(n, 2, q)``: the sums over turns, and the mean of the latencies, no number where there is none."""
    sums = np.zeros((len(battles), 2, len(MEASURES)))
    timed = np.zeros((len(battles), 2))
    place = {battle: index for index, battle in enumerate(battles)}
    for battle, side, text, first_token_ms in _answers(battles):
        at = place[battle], _PLACE[side]
        style = count_markdown(text)
        sums[at] += (len(text), style.headers, style.lists, style.bold, first_token_ms or 0)
        timed[at] += first_token_ms is not None
    latency = sums[:, :, MEASURES.index("latency")]
    sums[:, :, MEASURES.index("latency")] = np.divide(
        latency, timed, out=np.full(latency.shape, np.nan), where=timed > 0
    )
    return sums


def _answers(battles: Sequence[UUID]) -> Iterator[tuple[UUID, str, str, int | None]]:
    for first in range(0, len(battles), _CHUNK):
        yield from Answer.objects.filter(
            turn__battle__in=battles[first : first + _CHUNK], status=AnswerStatus.COMPLETE.value
        ).values_list("turn__battle_id", "side", "text", "first_token_ms")
