"""Publishing boards: what was computed, from what, by which code, never to be changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ranking.ballots import Ballots
from ranking.board import INDEPENDENT, board_of
from ranking.errors import NotConverged
from ranking.estimates import Cast, Counted, Estimate, Evidence
from ranking.filters import FilterSet
from ranking.models import Board, Snapshot, SnapshotReport
from ranking.numbers import Numbers
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
    return _published(
        board,
        criterion,
        Cast(weighed, clustered=True),
        slice=cut.slice,
        ties=ties.value,
        filters=cut.filters,
        cluster=VOTERS,
        cap=cap,
        cut_at=cut.at,
        tally_checksum=tally_checksum(cut.ballots.tally()),
        n_votes=cut.ballots.n_votes,
        n_excluded=cut.n_excluded,
    )


def publish_counts(*, board: Board, criterion: Criterion, tally: Tally, at: datetime) -> Snapshot:
    """Publish a board of which counts alone are known, half-win ties: each vote stands for itself, and none is left out."""
    return _published(
        board,
        criterion,
        Counted(tally),
        slice="",
        ties=TieRule.HALF.value,
        filters=str(FilterSet(frozenset())),
        cluster=INDEPENDENT,
        cap=None,
        cut_at=at,
        tally_checksum=tally_checksum(tally),
        n_votes=tally.n_votes,
        n_excluded=0,
    )


def _published(board: Board, criterion: Criterion, evidence: Evidence, **how: Any) -> Snapshot:
    ties = TieRule(how["ties"])
    snapshot = Snapshot(
        board=board,
        criterion=criterion.value,
        code_version=code_version(),
        payload=board_of(evidence, criterion, ties, 0.95, how["cluster"]).as_json(),
        covariance=_covariance(evidence, ties),
        **how,
    )
    snapshot.checksum = checksum(snapshot)
    snapshot.save(force_insert=True)
    return snapshot


def store_report(
    *, snapshot: Snapshot, report: str, part: str = "", numbers: Numbers | None, failure: str = ""
) -> SnapshotReport:
    """Put a report's numbers, or why there are none, beside the board that they were computed with."""
    stored = SnapshotReport(
        snapshot=snapshot,
        report=report,
        part=part,
        payload=None if numbers is None else numbers.as_json(),
        failure=failure,
        code_version=code_version(),
    )
    stored.checksum = report_checksum(stored)
    stored.save(force_insert=True)
    return stored


def report_checksum(stored: SnapshotReport) -> str:
    """As :func:`checksum`, over the report and the checksum of its board, so that neither can be put in another's place."""
    whole = {name: getattr(stored, name) for name in ("report", "part", "payload", "failure", "code_version")}
    return _digest(whole | {"snapshot": stored.snapshot.checksum})


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


def _covariance(evidence: Evidence, ties: TieRule) -> dict[str, Any]:
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
