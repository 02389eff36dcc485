"""Best-fit decreasing over lengths, group by group, so that a million take a moment."""

from __future__ import annotations

from bisect import bisect_left, insort

import numpy as np
from numpy.typing import NDArray

Lengths = NDArray[np.integer]


def best_fit(lengths: Lengths, capacity: int) -> NDArray[np.int64]:
    """Put each length into a row.

    Parameters
    ----------
    lengths
        Of shape ``(n,)``, each between 1 and the capacity. Of equal ones, the first goes first.
    capacity
        What a row holds.

    Returns
    -------
    numpy.ndarray
        The row of each, of shape ``(n,)``; rows are counted from 0 without gaps.

    Raises
    ------
    ValueError
        For a length that no row holds.

    Notes
    -----
    The longest first, each into the row that it fills most nearly (Johnson, 1974; for training rows Ding et al., 2024, arXiv:2404.10830). Rows with equally
    much room, and items of equal length, are interchangeable: a row with room ``r`` takes ``r // length`` items of one length before another row becomes the
    better fit, so whole groups are placed at once. Memory is of the order of ``n``; time hardly depends on ``n`` once most lengths occur.
    """
    rows_of = np.empty(len(lengths), dtype=np.int64)
    if not len(lengths):
        return rows_of
    if lengths.min() < 1 or lengths.max() > capacity:
        raise ValueError(f"lengths are between 1 and {capacity}")
    order = np.argsort(-lengths.astype(np.int64), kind="stable")
    edges = np.flatnonzero(np.diff(lengths[order])) + 1
    rows = _Rows(capacity)
    for items in np.split(order, edges):
        rows.place(items, int(lengths[items[0]]), rows_of)
    return rows_of


class _Rows:
    """Rows by the room that they have left."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._count = 0
        self._rooms: list[int] = []  # sorted; those with rows
        self._with: dict[int, list[NDArray[np.int64]]] = {}

    def place(self, items: NDArray[np.intp], length: int, rows_of: NDArray[np.int64]) -> None:
        while len(items):
            at = bisect_left(self._rooms, length)
            if at < len(self._rooms):
                room = self._rooms.pop(at)
                rows = np.concatenate(self._with.pop(room))
            else:
                room, rows = self._capacity, self._new(-(-len(items) // (self._capacity // length)))
            items = self._fill(items, length, room, rows, rows_of)

    def _new(self, count: int) -> NDArray[np.int64]:
        self._count += count
        return np.arange(self._count - count, self._count)

    def _fill(
        self,
        items: NDArray[np.intp],
        length: int,
        room: int,
        rows: NDArray[np.int64],
        rows_of: NDArray[np.int64],
    ) -> NDArray[np.intp]:
        """Fill rows of equal room from the first on; returns the items that are left."""
        each = room // length
        full = min(len(rows), len(items) // each)
        rows_of[items[: full * each]] = np.repeat(rows[:full], each)
        self._keep(room - each * length, rows[:full])
        items, rows = items[full * each :], rows[full:]
        if not len(rows) or not len(items):
            self._keep(room, rows)
            return items
        rows_of[items] = rows[0]  # fewer than it takes
        self._keep(room - len(items) * length, rows[:1])
        self._keep(room, rows[1:])
        return items[:0]

    def _keep(self, room: int, rows: NDArray[np.int64]) -> None:
        if not room or not len(rows):
            return
        if room in self._with:
            self._with[room].append(rows)
        else:
            self._with[room] = [rows]
            insort(self._rooms, room)
