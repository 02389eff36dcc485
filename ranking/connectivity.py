"""Which models of a tally can be rated together, and what to say of the others."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from ranking.tally import Indices, Matrix
from ranking.types import Status

Labels = NDArray[np.int32]


def check(points: Matrix) -> Status:
    """Whether the likelihood has a finite maximum.

    Parameters
    ----------
    points
        Shape ``(m, m)``: wins of row over column, ties included as the tie rule has them.

    Returns
    -------
    Status
        ``OK`` for one strongly connected component (Ford's condition: no way to split the models so that one group never scored against
        the other); ``EMPTY`` without points, ``DISCONNECTED`` where groups never met, ``UNBOUNDED`` where one group always won or lost.

    Notes
    -----
    L. R. Ford Jr., "Solution of a ranking problem from binary comparisons", Amer. Math. Monthly 64 (1957).
    """
    if not points.any():
        return Status.EMPTY
    if components(points, "weak").max() > 0:
        return Status.DISCONNECTED
    return Status.UNBOUNDED if components(points, "strong").max() > 0 else Status.OK


def core(points: Matrix, wins: Matrix) -> Indices:
    """The models that can be rated together, with an interval.

    Parameters
    ----------
    points
        Shape ``(m, m)``: what the fit sees of row against column.
    wins
        Shape ``(m, m)``: decisive wins of row over column.

    Returns
    -------
    ndarray
        Shape ``(k,)``, ascending indices, ``k`` 0 or at least 2: the largest group that *points* connect strongly, so that ratings are finite, and *wins*
        connect at all. Models joined by ties alone have ratings, but their votes carry no spread from which an interval could come.
        A group of no more than half of the models that met anybody is none: two halves have no common scale. But a newcomer that has only lost
        so far does not take everybody's rating away.
    """
    met = np.flatnonzero(points.sum(axis=0) + points.sum(axis=1)).astype(np.int64)
    group = met
    while len(group) > 1:
        inner = _largest(points, group, "strong")
        inner = _largest(wins, inner, "weak")
        if len(inner) == len(group):
            return group if 2 * len(group) > len(met) else group[:0]
        group = inner
    return group[:0]


def outside(points: Matrix, rated: Indices) -> list[Status]:
    """What each row says that has no rating, shape ``(m,)``; rows in *rated* say ``OK``.

    ``EMPTY`` without a point. Beside a rated group: ``DISCONNECTED`` if nothing joins the row to it, ``UNBOUNDED`` if it only won or only lost against it,
    directly or through others, ``INSUFFICIENT`` if ties are all that joins it. Without one, every row says what the board says: :func:`standing`.
    """
    met = points.sum(axis=0) + points.sum(axis=1) > 0
    if not len(rated):
        whole = standing(points)
        return [whole if each else Status.EMPTY for each in met]
    weak, strong = components(points, "weak"), components(points, "strong")
    found = np.where(strong == strong[rated[0]], Status.INSUFFICIENT, Status.UNBOUNDED)
    found[weak != weak[rated[0]]] = Status.DISCONNECTED
    found[~met] = Status.EMPTY
    found[rated] = Status.OK
    return [Status(str(each)) for each in found]


def standing(points: Matrix) -> Status:
    """Why the models that met anybody cannot be rated together; ``INSUFFICIENT`` where :func:`check` has no objection."""
    met = np.flatnonzero(points.sum(axis=0) + points.sum(axis=1))
    found = check(points[np.ix_(met, met)])
    return Status.INSUFFICIENT if found is Status.OK else found


def components(points: Matrix, connection: Literal["weak", "strong"]) -> Labels:
    """Shape ``(m,)``: the number of each model's component, from 0, in the graph with an arc where row has a point against column."""
    arcs = csr_array((points > 0).astype(np.int8))
    _, labels = connected_components(arcs, directed=True, connection=connection)
    return np.asarray(labels, dtype=np.int32)


def _largest(arcs: Matrix, group: Indices, connection: Literal["weak", "strong"]) -> Indices:
    labels = components(arcs[np.ix_(group, group)], connection)
    largest: Indices = group[labels == np.bincount(labels).argmax()]
    return largest
