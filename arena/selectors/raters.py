"""What the votes that count say of those who cast them."""

from __future__ import annotations

from ranking.ballots import Ballots
from ranking.errors import NoFit, NotConverged
from ranking.fit import fit_bradley_terry
from ranking.rateable import rateable
from ranking.raters import RaterReport, examine_raters


def examined(ballots: Ballots) -> RaterReport | None:
    """Each user's residual tests on the models that can be rated together; ``None`` where there are none."""
    part = rateable(ballots)
    if not part.standing.has_rating:
        return None
    try:
        fit = fit_bradley_terry(part.ballots.tally())
    except (NoFit, NotConverged):
        return None
    return examine_raters(part.ballots, fit)
