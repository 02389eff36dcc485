"""What reports on ratings share: the board's own fit, and why there is none."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ranking.board import BoardResult
from ranking.errors import NotConverged
from ranking.estimates import Counted, Estimate
from ranking.tally import Tally
from ranking.types import Status, TieRule

_NOT_ENOUGH = _("There are not enough votes for ratings yet.")
_REASONS = {
    Status.EMPTY: _("There are no votes yet: yours can be the first."),
    Status.DISCONNECTED: _("Some models have never met, so they have no common scale yet."),
    Status.UNBOUNDED: _("Some models have only won or only lost, so their ratings have no bounds yet."),
}


def estimate_of(tally: Tally) -> Estimate:
    """The fit that the board's page shows: half-win ties, each vote for itself; nothing where nothing can be fitted."""
    try:
        return Counted(tally).estimate(TieRule.HALF)
    except NotConverged:
        return Estimate.nothing()


def why_unrated(result: BoardResult) -> str | Promise:
    """In words, why a board has no ratings."""
    return _REASONS.get(result.status, _NOT_ENOUGH)
