"""Publishing boards: what was computed, from what, by which code, never to be changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ranking.ballots import Ballots
from ranking.board import board_of
from ranking.errors import NotConverged
from ranking.estimates import Cast, Estimate
from ranking.models import Board, Snapshot
from ranking.tally import Tally
from ranking.types import Criterion, TieRule
from ranking.version import code_version
from ranking.weights import DEFAULT_CAP, capped_weights

VOTERS = "participant"
"""What published boards call their clusters: whoever voted."""
_FINGERPRINTED = (
    *("criterion", "slice", "ties", "filters", "cluster", "cap", "code_version", "tally_checksum", "n_votes"),
    *("n_excluded", "payload", "covariance"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """The votes that a snapshot is made of.

    Parameters
    ----------
    ballots
        Those that count.
    n_excluded
        How many more there are until *at*, which *filters* exclude.
    filters
        In the canonical form of :class:`ranking.filters.FilterSet`.
    at
        No later vote is in it.
    slice
        Which part of the votes; empty for all.
    """

    ballots: Ballots
    n_excluded: int
    filters: str
    at: datetime
    slice: str = ""


def publish_snapshot(
    *,
    board: Board,
    criterion: Criterion,
    cut: Cut,
    ties: TieRule = TieRule.HALF,
    cap: int | None = DEFAULT_CAP,
) -> Snapshot:
    """Publish a board from single votes: intervals clustered by voter, what a voter weighs on a model capped."""
    weighed = cut.ballots if cap is None else cut.ballots.reweighted(capped_weights(cut.ballots, cap))
    evidence = Cast(weighed, clustered=True)
    snapshot = Snapshot(
        board=board,
        criterion=criterion.value,
        slice=cut.slice,
        ties=ties.value,
        filters=cut.filters,
        cluster=VOTERS,
        cap=cap,
        cut_at=cut.at,
        code_version=code_version(),
        tally_checksum=tally_checksum(cut.ballots.tally()),
        n_votes=cut.ballots.n_votes,
        n_excluded=cut.n_excluded,
        payload=board_of(evidence, criterion, ties, 0.95, VOTERS).as_json(),
        covariance=_covariance(evidence, ties),
    )
    snapshot.checksum = checksum(snapshot)
    snapshot.save(force_insert=True)
    return snapshot


def checksum(snapshot: Snapshot) -> str:
    """SHA-256 over everything that was computed and how; 64 hex digits. A stored snapshot whose checksum differs was tampered with."""
    whole = {name: getattr(snapshot, name) for name in _FINGERPRINTED}
    return _digest(whole | {"board": snapshot.board.slug, "cut_at": snapshot.cut_at.isoformat()})


def tally_checksum(tally: Tally) -> str:
    """SHA-256 over the counts of every pair that met, whatever the models' order."""
    counts = {
        f"{a}\0{b}": tally.counts[i, j].tolist()
        for i, a in enumerate(tally.models)
        for j, b in enumerate(tally.models)
        if tally.counts[i, j].any()
    }
    return _digest(counts)


def _digest(whole: Mapping[str, Any]) -> str:
    text = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _covariance(evidence: Cast, ties: TieRule) -> dict[str, Any]:
    """Strengths and their covariance, in nats, of the rated models; empty where nothing can be fitted."""
    try:
        estimate = evidence.estimate(ties)
    except NotConverged:
        estimate = Estimate.nothing()
    return {
        "models": [evidence.tally.models[index] for index in estimate.rated],
        # the database stores no negative zero
        "strengths": (estimate.strengths + 0.0).tolist(),
        "matrix": (estimate.covariance + 0.0).tolist(),
        "freedom": None if estimate.freedom == float("inf") else float(estimate.freedom),
    }
