"""What a board still lacks, in votes."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np

from ranking.board import PROVISIONAL_BATTLES, PROVISIONAL_HALF_WIDTH, SCALE, BoardResult, build_board
from ranking.connectivity import components
from ranking.ranks import quantile
from ranking.tally import Matrix, Tally
from ranking.types import Status


@dataclass(frozen=True, slots=True)
class Missing:
    """Votes that a board lacks.

    Parameters
    ----------
    until_rated
        The fewest decisive votes after which every model could have a rating; a bound, as votes that repeat what is known do not lower it.
    until_firm
        About how many until no row is provisional, if they go where they are missing. Each vote between two models that lack battles lowers it by one.
    """

    until_rated: int
    until_firm: int


def missing(tally: Tally, board: BoardResult | None = None) -> Missing:
    """What the tally lacks for a board where every model stands firm.

    Parameters
    ----------
    tally
        Counts of shape ``(m, m, 4)``, models that wait for their first battle included.
    board
        Its board, with half-win ties, if it is at hand.

    Returns
    -------
    Missing
        ``until_firm`` is 0 only where no model is provisional or unrated, and never below ``until_rated``.

    Notes
    -----
    Each model needs battles; what it lacks is the need less the battles it had. A vote serves two models, so the board lacks half of the sum, or the
    largest single lack if that is more. A rated model of at least ``PROVISIONAL_BATTLES`` battles that is still too wide needs ``n (w / 25)**2``, as
    the half width *w* falls with the root of *n*; any other model :func:`firm_battles`.
    """
    board = board or build_board(tally)
    need = firm_battles(len(tally.models))
    lacks = []
    for row in board.ratings:
        if row.status is Status.OK:
            lacks.append(0)
        elif row.half_width is not None and row.n >= PROVISIONAL_BATTLES:
            width = row.half_width * quantile(0.95) / quantile(board.interval)
            lacks.append(max(ceil(row.n * (width / PROVISIONAL_HALF_WIDTH) ** 2) - row.n, 1))
        else:
            lacks.append(max(need - row.n, 1))
    rated = until_rated(tally.points())
    return Missing(until_rated=rated, until_firm=max(rated, ceil(sum(lacks) / 2), max(lacks, default=0)))


def firm_battles(m: int) -> int:
    """How many battles bring a model's 95 % half width to 25 points among *m* that are as good, all pairs met equally often and without ties.

    Notes
    -----
    With *n* battles a model the Hessian is ``n/4 * m/(m-1) * (I - 11'/m)``, so a strength's variance is ``4/n * ((m-1)/m)**2``.
    """
    if m < 2:
        return PROVISIONAL_BATTLES
    spread = 2 * (m - 1) / m * quantile(0.95) * SCALE
    return max(PROVISIONAL_BATTLES, ceil((spread / PROVISIONAL_HALF_WIDTH) ** 2))


def until_rated(points: Matrix) -> int:
    """Fewest further decisive votes that make *points*, shape ``(m, m)``, strongly connected; 0 where they are, or with fewer than two models.

    Notes
    -----
    With its strong components condensed, the larger of the numbers of sources and of sinks, isolated ones counted in both (K. P. Eswaran and R. E.
    Tarjan, "Augmentation problems", SIAM J. Comput. 5, 1976).
    """
    if len(points) < 2:
        return 0
    label = components(points, "strong")
    parts = int(label.max()) + 1
    if parts == 1:
        return 0
    between = np.zeros((parts, parts), dtype=bool)
    rows, columns = np.nonzero(points)
    between[label[rows], label[columns]] = True
    np.fill_diagonal(between, val=False)
    return int(max((~between.any(axis=0)).sum(), (~between.any(axis=1)).sum()))
