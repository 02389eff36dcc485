"""Which models of a tally can be rated together, and what to say of the others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from ranking.tally import Matrix
from ranking.types import Status


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
    if _components(points, "weak").max() > 0:
        return Status.DISCONNECTED
    return Status.UNBOUNDED if _components(points, "strong").max() > 0 else Status.OK


def core(points: Matrix) -> NDArray[np.int64]:
    """The models that can be rated together: indices, ascending; empty where there is no such group.

    It is the largest strongly connected group, if it holds at least two models and more than half of those that met anybody: a newcomer that has
    only lost so far must not take everybody's rating away, and two halves that never met have no common scale.
    """
    met = np.flatnonzero(points.sum(axis=0) + points.sum(axis=1))
    if len(met) < 2:
        return np.zeros(0, dtype=np.int64)
    group = _components(points, "strong")[met]
    largest = np.flatnonzero(group == np.bincount(group).argmax())
    return met[largest] if len(largest) >= 2 and 2 * len(largest) > len(met) else met[:0]


def outside(points: Matrix, rated: NDArray[np.int64]) -> list[Status]:
    """What each row says that has no rating, shape ``(m,)``; rows in *rated* say ``OK``.

    ``EMPTY`` without a battle; ``DISCONNECTED`` if it never met the rated group (or, without one, the largest group); ``UNBOUNDED`` if it met
    them and is still above or below all bounds; ``INSUFFICIENT`` where only the board as a whole lacks votes.
    """
    scored, conceded = points.sum(axis=1), points.sum(axis=0)
    group = _components(points, "weak")
    met = scored + conceded > 0
    main = group[rated[0]] if len(rated) else np.bincount(group[met]).argmax() if met.any() else -1
    found = []
    for model in range(len(points)):
        if not met[model]:
            found.append(Status.EMPTY)
        elif model in rated:
            found.append(Status.OK)
        elif group[model] != main:
            found.append(Status.DISCONNECTED)
        elif len(rated) or scored[model] == 0 or conceded[model] == 0:
            found.append(Status.UNBOUNDED)
        else:
            found.append(Status.INSUFFICIENT)
    return found


def missing_votes(points: Matrix) -> int:
    """Fewest further decisive votes that would let every model be rated; 0 where all are.

    The smallest number of arcs that make a directed graph strongly connected: with its strong components condensed, the larger of the numbers of
    sources and of sinks, isolated ones counted in both (K. P. Eswaran and R. E. Tarjan, "Augmentation problems", SIAM J. Comput. 5, 1976).
    """
    if len(points) < 2:
        return 0
    label = _components(points, "strong")
    parts = int(label.max()) + 1
    if parts == 1:
        return 0
    between = np.zeros((parts, parts), dtype=bool)
    rows, columns = np.nonzero(points)
    between[label[rows], label[columns]] = True
    np.fill_diagonal(between, val=False)
    return int(max((~between.any(axis=0)).sum(), (~between.any(axis=1)).sum()))


def _components(points: Matrix, connection: str) -> NDArray[np.int32]:
    _, labels = connected_components(csr_matrix(points > 0), directed=True, connection=connection)
    return np.asarray(labels, dtype=np.int32)
