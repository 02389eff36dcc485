"""What differs between the two answers of each vote, measured on the stored texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from arena.models import Answer
from arena.selectors.ballots import VoteTable
from arena.selectors.columns import uuids
from arena.types import AnswerStatus, Side
from ranking.ballots import Ballots
from ranking.markdown import count_markdown
from ranking.types import Criterion

MOST_VOTES = 50_000
_CHUNK = 1_000  # battles whose texts are in memory at once
MEASURES = ("length", "headers", "lists", "bold", "latency")
_PLACE = {side.value: place for place, side in enumerate(Side)}

Measured = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class StyledVotes:
    """The newest votes, oldest first, and what was measured on their answers.

    Parameters
    ----------
    votes
        ``n`` of them.
    measures
        From a measure's name to its values for A and for B, shape ``(n,)`` each, over all turns of the battle: *length* in characters, *headers*, *lists* and
        *bold* as counts, *latency* as the mean time to the first words in milliseconds.
    n_counted
        How many votes there are; more than ``n`` where older ones were left out.
    n_untimed
        Of the ``n``, those without a latency on one side: there both sides have 0, so that they do not differ.
    """

    votes: VoteTable
    measures: dict[str, tuple[Measured, Measured]]
    n_counted: int
    n_untimed: int

    def ballots(self, criterion: Criterion) -> Ballots:
        """The ``n`` votes on one criterion, among the models that occur in them."""
        whole = self.votes.ballots(criterion)
        return whole.among(np.unique([whole.a, whole.b]).astype(np.int64))


def styled_votes(counted: VoteTable, *, most: int = MOST_VOTES) -> StyledVotes:
    """The newest of these votes with their answers' measures. One query for each thousand battles; no more texts are held."""
    chosen = np.arange(counted.n_votes) >= counted.n_votes - most
    votes = counted.taken(chosen)
    measured = _measured(uuids(votes.battles))
    untimed = np.isnan(measured[:, :, MEASURES.index("latency")]).any(axis=1)
    measured[untimed, :, MEASURES.index("latency")] = 0.0
    return StyledVotes(
        votes=votes,
        measures={name: (measured[:, 0, at], measured[:, 1, at]) for at, name in enumerate(MEASURES)},
        n_counted=counted.n_votes,
        n_untimed=int(untimed.sum()),
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
