"""A board: ratings with everything that is needed to doubt them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ranking.ballots import Ballots
from ranking.estimates import Cast, Counted, Evidence
from ranking.ratings import CENTRE, PROVISIONAL_BATTLES, PROVISIONAL_HALF_WIDTH, SCALE, Rating, rows_of
from ranking.tally import Tally
from ranking.types import Criterion, Status, TieRule
from ranking.weights import capped_weights

__all__ = [
    "CENTRE",
    "INDEPENDENT",
    "PROVISIONAL_BATTLES",
    "PROVISIONAL_HALF_WIDTH",
    "SCALE",
    "BoardResult",
    "Rating",
    "board_of",
    "build_board",
    "build_board_from_ballots",
]

INDEPENDENT = "none"
"""What a board calls its clusters where every vote stands for itself."""


@dataclass(frozen=True, slots=True)
class BoardResult:
    """All rows, best first; models without a rating last, by name."""

    n_votes: int
    n_models: int
    criterion: Criterion
    ties: TieRule
    interval: float
    cluster: str
    status: Status
    ratings: tuple[Rating, ...]

    def as_json(self) -> dict[str, Any]:
        """The object that ``python -m ranking --format json`` prints; plain types only."""
        plain = asdict(self)
        plain |= {"criterion": str(self.criterion), "ties": str(self.ties), "status": str(self.status)}
        plain["ratings"] = [asdict(row) | {"status": str(row.status)} for row in self.ratings]
        return plain


def build_board(
    tally: Tally,
    *,
    criterion: Criterion = Criterion.OVERALL,
    ties: TieRule = TieRule.HALF,
    interval: float = 0.95,
) -> BoardResult:
    """Fit a tally and put its ratings, intervals, ranks and tiers on a board.

    Parameters
    ----------
    tally
        Counts of shape ``(m, m, 4)``, any number of models, votes or none.
    criterion
        What was judged; only carried along.
    ties
        How ties enter the fit.
    interval
        Confidence level of rating and rank intervals, between 0 and 1. Whether a row is provisional does not depend on it.

    Returns
    -------
    BoardResult
        Ratings for :func:`ranking.connectivity.core`; an explicit status for every other model. The board's own status is ``EMPTY`` without votes,
        the reason where nobody has a rating, ``PROVISIONAL`` while a row that had battles is not ``OK``, else ``OK``. Strengths that floating-point
        numbers cannot hold (some million wins to one, around a ring) count as ``UNBOUNDED``.

    Raises
    ------
    ValueError
        If *interval* is not between 0 and 1.
    """
    return board_of(Counted(tally), criterion, ties, interval, INDEPENDENT)


def build_board_from_ballots(
    ballots: Ballots,
    *,
    criterion: Criterion = Criterion.OVERALL,
    ties: TieRule = TieRule.HALF,
    interval: float = 0.95,
    cluster: str = INDEPENDENT,
    cap: int | None = None,
) -> BoardResult:
    """As :func:`build_board`, from single votes: with weights, clustered intervals and a cap on what a user weighs.

    Parameters
    ----------
    ballots
        The votes. One of weight zero is left out; the counts on the board are of the others, one each.
    criterion, ties, interval
        As in :func:`build_board`.
    cluster
        What to call the voters on the board: intervals are then clustered by voter (:func:`ranking.clusters.clustered_covariance`), with Student's t.
        ``"none"`` takes each vote for itself.
    cap
        At most how many votes a user weighs on each model (:func:`ranking.weights.capped_weights`); no cap if left out.

    Returns
    -------
    BoardResult
        As from :func:`build_board`. Clustered, a model that a single voter could take off the board is ``INSUFFICIENT``, and so is one on which all voters
        agree to the last digit: what there is to know of the spread between voters, its votes do not tell.

    Raises
    ------
    ValueError
        If *interval* is not between 0 and 1, *cap* is below 1, or Rao-Kupper ties are to be weighed or clustered.
    """
    if ties is TieRule.RAO_KUPPER:
        if cluster != INDEPENDENT or cap is not None or ballots.weight is not None:
            raise ValueError("under rao-kupper every vote weighs one and stands for itself")
        return board_of(Counted(ballots.tally()), criterion, ties, interval, INDEPENDENT)
    weighed = ballots if cap is None else ballots.reweighted(capped_weights(ballots, cap))
    evidence = Cast(weighed, clustered=cluster != INDEPENDENT)
    return board_of(evidence, criterion, ties, interval, cluster)


def board_of(
    evidence: Evidence, criterion: Criterion, ties: TieRule, interval: float, cluster: str
) -> BoardResult:
    """As :func:`build_board`, from evidence that the caller holds and may look at further; *cluster* is only carried along."""
    if not 0 < interval < 1:
        raise ValueError("the interval is a probability between 0 and 1")
    rows = rows_of(evidence, ties=ties, interval=interval)
    return BoardResult(
        n_votes=evidence.tally.n_votes,
        n_models=len(evidence.tally.models),
        criterion=criterion,
        ties=ties,
        interval=interval,
        cluster=cluster,
        status=_board_status(rows),
        ratings=tuple(rows),
    )


def _board_status(rows: list[Rating]) -> Status:
    """Without ratings every row says why; ``INSUFFICIENT`` yields to a better reason."""
    said = {row.status for row in rows if row.n}
    if not said:
        return Status.EMPTY
    if any(status.has_rating for status in said):
        return Status.OK if said == {Status.OK} else Status.PROVISIONAL
    return next(iter(said - {Status.INSUFFICIENT}), Status.INSUFFICIENT)
