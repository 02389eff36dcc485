"""Which models of a tally can be rated together, and what to say of the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import NegativeCycleError, bellman_ford, connected_components

from ranking.tally import Indices, Matrix
from ranking.types import Status

Labels = NDArray[np.int32]
_FEW_ARCS = 2


@dataclass(frozen=True, slots=True)
class Label:
    """Where a model stands in the graph of points.

    Parameters
    ----------
    component
        The number of the group of models that battles join to it, from 0 for the largest; equal ones in the models' order.
    undefeated
        It met others, and nobody has a point against it. Under half a win a tie is a point for both.
    winless
        It met others and has no point.
    unbounded
        The likelihood rises while its strength moves away from the others' without end: it is outside the group of more than half of its component's models
        whose points go round, or there is none such.
    """

    component: int
    undefeated: bool
    winless: bool
    unbounded: bool


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


def labels(points: Matrix) -> tuple[Label, ...]:
    """What can be said of each of the ``m`` models, in their order, from *points* of shape ``(m, m)``, as the tie rule has them.

    Strengths are finite exactly where all are in component 0 and none is unbounded. A model that met nobody is a component of its own, and bounded.
    """
    weak, strong = _by_size(components(points, "weak")), components(points, "strong")
    scored, conceded = points.sum(axis=1) > 0, points.sum(axis=0) > 0
    bounded = 2 * np.bincount(strong)[strong] > np.bincount(weak)[weak]
    return tuple(
        Label(int(group), bool(won and not lost), bool(lost and not won), not bound)
        for group, won, lost, bound in zip(weak, scored, conceded, bounded, strict=True)
    )


def wins_outnumber_ties(wins: Matrix, ties: Matrix) -> bool:
    """Whether some cycle of results, each model having beaten or tied the next, holds more wins than ties.

    Parameters
    ----------
    wins
        Shape ``(m, m)``: decisive wins of row over column.
    ties
        Shape ``(m, m)``, symmetric. Together with *wins* they join all models into one strong component.

    Notes
    -----
    Without such a cycle the models can be set apart so that each winner stands at least one step above whom it beat and tied models at most one step apart;
    strengths and threshold can then grow together along these steps without end. With one, a model of wins, ties and losses has a finite maximum
    (L. Gyarmati, C. Mihálykó, É. Orbán-Mihálykó and A. Mihálykó, "Evaluability of paired comparison data in stochastic paired comparison models: necessary
    and sufficient condition", arXiv 2502.13617, 2025). Found as a negative cycle, with a win of length -1 and a tie of length 1.
    """
    if (
        (wins > 0) & (wins.T > 0)
    ).any():  # on any grown board some pair has beaten each other, and the search is spared
        return True
    lengths = csr_array(np.where(wins > 0, -1.0, np.where(ties > 0, 1.0, 0.0)))
    try:
        bellman_ford(lengths, indices=[0])  # one start reaches every cycle of a strong component
    except NegativeCycleError:
        return True
    return False


def components(points: Matrix, connection: Literal["weak", "strong"]) -> Labels:
    """Shape ``(m,)``: the number of each model's component, from 0, in the graph with an arc where row has a point against column."""
    arcs = points > 0
    if connection == "weak":
        arcs |= arcs.T
    if len(arcs) and _soon_reached(arcs) and (connection == "weak" or _soon_reached(arcs.T)):
        return np.zeros(len(arcs), dtype=np.int32)
    _, labels = connected_components(csr_array(arcs.astype(np.int8)), directed=True, connection=connection)
    return np.asarray(labels, dtype=np.int32)


def _soon_reached(arcs: NDArray[np.bool_]) -> bool:
    """Whether all models are within a few arcs of the first: so it is on every board of some size, where a sparse graph costs ten times as much."""
    reached = arcs[0].copy()
    reached[0] = True
    for _ in range(_FEW_ARCS):
        if reached.all():
            return True
        reached |= arcs[reached].any(axis=0)
    return bool(reached.all())


def _largest(arcs: Matrix, group: Indices, connection: Literal["weak", "strong"]) -> Indices:
    labels = components(arcs[np.ix_(group, group)], connection)
    largest: Indices = group[labels == np.bincount(labels).argmax()]
    return largest


def _by_size(numbers: Labels) -> Labels:
    """Shape ``(m,)``: the same groups, numbered from the largest down; equal ones by their first model."""
    _, first, size = np.unique(numbers, return_index=True, return_counts=True)
    order = np.lexsort((first, -size))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return np.asarray(place[numbers], dtype=np.int32)
