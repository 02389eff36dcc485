"""The rows of a whole run in order, pass after pass, so that a position is one number."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any, Protocol

from torch.utils.data import Dataset

from training.errors import BadData


class Rows(Protocol):
    """Packed rows of one pass over the data; :mod:`training.data.stream` makes them."""

    source_names: Any

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> dict[str, list[int]]: ...

    def set_epoch(self, epoch: int) -> None: ...


class Passes(Dataset[dict[str, list[int]]]):
    """Pass after pass over a set of rows as one long list.

    Passes need not be of one length, since each is packed anew; a step may take its rows from two. Nothing is left out and nothing is filled up: the
    last step goes on into one more pass where the passes asked for end inside it.

    Parameters
    ----------
    rows
        What a pass is made of.
    total
        How many rows the run takes.

    Raises
    ------
    BadData
        When read, where a pass has no rows.
    """

    def __init__(self, rows: Rows, total: int) -> None:
        self._rows, self._total = rows, total
        self._starts = [0]
        self._epoch: int | None = None

    def __len__(self) -> int:
        return self._total

    def __getitem__(self, index: int) -> dict[str, list[int]]:
        if not 0 <= index < self._total:
            raise IndexError(index)
        epoch = bisect_right(self._starts, index) - 1
        while index >= self._end_of(epoch):
            epoch += 1
        self._enter(epoch)
        return self._rows[index - self._starts[epoch]]

    def _end_of(self, epoch: int) -> int:
        if epoch + 1 == len(self._starts):
            self._enter(epoch)
            if not len(self._rows):
                raise BadData("there are no rows to train on")
            self._starts.append(self._starts[epoch] + len(self._rows))
        return self._starts[epoch + 1]

    def _enter(self, epoch: int) -> None:
        if epoch != self._epoch:
            self._rows.set_epoch(epoch)
            self._epoch = epoch


def rows_of(rows: Rows, passes: int) -> list[int]:
    """How many rows each of the first passes has."""
    found = []
    for epoch in range(passes):
        rows.set_epoch(epoch)
        found.append(len(rows))
    rows.set_epoch(0)
    return found
