"""Packed rows by index: what the trainer reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data import plans, shares
from training.data.pack import Plan, plan
from training.data.store import Store
from training.data.tokenise import IGNORED

_SHUFFLE, _PACK = 0, 1  # what is drawn and how it is packed come from random streams of their own


@dataclass(frozen=True, slots=True)
class Part:
    """One source of a row set.

    Parameters
    ----------
    name
        In the recipe.
    factor
        That its share is of.
    store
        Its segments.
    key
        Stands for the store's content; None for one that is made in memory.
    """

    name: str
    factor: str
    store: Store
    key: str | None


class RowSet:
    """Packed rows of one pass, by index; every pass is drawn and packed anew, the same for the same seed.

    Parameters
    ----------
    parts
        Sources; their order gives the numbers in ``sources``.
    weights
        Shares of a pass's tokens by factor; None for every segment once a pass.
    row_tokens
        Tokens a row.
    pad_id
        Fills a row's rest.
    seed
        Of what is drawn, packed together, and in what order.
    keep
        A folder of plans; None to make each in memory.

    Notes
    -----
    Documents longer than a row are cut, chats longer than a row are left out and counted in :attr:`left_out`. Memory: some twenty bytes a segment; tokens stay
    where they are until a row is read.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        *,
        weights: Mapping[str, float] | None,
        row_tokens: int,
        pad_id: int,
        seed: int,
        keep: Path | None = None,
    ) -> None:
        self.source_names = tuple(each.name for each in parts)
        self.row_tokens = row_tokens
        self._parts, self._pad_id, self._seed = tuple(parts), pad_id, seed
        self._weights = {name: share for name, share in (weights or {}).items() if share > 0}
        self._keep = keep if all(each.key for each in parts) else None
        self._first = np.cumsum([0, *(len(each.store) for each in parts)], dtype=np.int64)
        self._lengths = np.concatenate([each.store.lengths for each in parts])
        self._pools = [self._usable(number) for number in range(len(parts))]
        self._epoch = -1
        self.set_epoch(0)

    def _usable(self, number: int) -> NDArray[np.int64]:
        """The segments of a source that go into rows, counted over all sources."""
        store, first = self._parts[number].store, int(self._first[number])
        if store.kind == "documents":
            return np.arange(first, first + len(store))
        return np.flatnonzero(store.lengths <= self.row_tokens).astype(np.int64) + first

    @property
    def left_out(self) -> dict[str, int]:
        """How many chats of each source no row holds."""
        both = zip(self._parts, self._pools, strict=True)
        return {part.name: len(part.store) - len(pool) for part, pool in both}

    @property
    def fill(self) -> float:
        """The share of the pass's places that hold a token."""
        return self.plan.fill(self.row_tokens)

    def tokens_by_source(self) -> dict[str, int]:
        """Tokens of the pass."""
        of = np.searchsorted(self._first, self.plan.segments, side="right") - 1
        counts = np.bincount(of, weights=self.plan.lengths, minlength=len(self._parts))
        return {name: int(count) for name, count in zip(self.source_names, counts, strict=True)}

    def counts(self) -> dict[str, dict[str, int]]:
        """By source: how many of its rows the pass takes in, whole or cut, and their tokens."""
        taken = np.searchsorted(self._first, np.unique(self.plan.segments), side="right") - 1
        rows = np.bincount(taken, minlength=len(self._parts))
        both = zip(self.tokens_by_source().items(), rows, strict=True)
        return {name: {"rows": int(number), "tokens": tokens} for (name, tokens), number in both}

    def set_epoch(self, epoch: int) -> None:
        """Draw and pack the rows of a pass, counted from 0."""
        if epoch == self._epoch:
            return
        if self._keep is None:
            self.plan = self._planned(epoch)
        else:
            self.plan = plans.kept(
                self._keep, plans.key_of(self._decides(epoch)), lambda: self._planned(epoch)
            )
        self._epoch = epoch

    def _decides(self, epoch: int) -> dict[str, Any]:
        return {
            "parts": [[each.key, each.factor] for each in self._parts],
            "weights": self._weights,
            "row_tokens": self.row_tokens,
            "seed": self._seed,
            "epoch": epoch,
        }

    def _planned(self, epoch: int) -> Plan:
        taken = self._weighed(epoch) if self._weights else np.concatenate(self._pools)
        seed = (self._seed, _PACK, epoch)
        return plan(taken, self._lengths[taken], row_tokens=self.row_tokens, seed=seed)

    def _weighed(self, epoch: int) -> NDArray[np.int64]:
        """The segments that a pass takes by the factors' shares."""
        pools = {factor: self._pool_of(factor) for factor in self._weights}
        tokens = {factor: int(self._lengths[pool].sum(dtype=np.int64)) for factor, pool in pools.items()}
        quotas = shares.quotas(tokens, self._weights)
        found = []
        for number, (factor, pool) in enumerate(pools.items()):
            seed = (self._seed, _SHUFFLE, number)
            found.append(pool[shares.window(self._lengths[pool], quotas[factor], seed=seed, epoch=epoch)])
        return np.concatenate(found)

    def _pool_of(self, factor: str) -> NDArray[np.int64]:
        both = zip(self._parts, self._pools, strict=True)
        return np.concatenate([pool for part, pool in both if part.factor == factor])

    def __len__(self) -> int:
        return len(self.plan)

    def __getitem__(self, index: int) -> dict[str, list[int]]:
        """``input_ids``, ``labels``, ``position_ids`` and ``sources``, lists of :attr:`row_tokens` whole numbers.

        Positions restart with each piece, and so does the padding. A piece's first label is never learnt: it would be predicted from the piece before.
        """
        if not 0 <= index < len(self):
            raise IndexError(index)
        length, at = self.row_tokens, 0
        ids, labels = np.full(length, self._pad_id), np.full(length, IGNORED)
        positions, sources = np.empty(length, dtype=np.int64), np.full(length, -1)
        for piece in range(int(self.plan.ends[index - 1]) if index else 0, int(self.plan.ends[index])):
            source, tokens, learnt = self._piece(piece)
            end = at + len(tokens)
            ids[at:end], sources[at:end], positions[at:end] = tokens, source, np.arange(end - at)
            labels[at + 1 : end] = np.where(learnt[1:], ids[at + 1 : end], IGNORED)
            at = end
        positions[at:] = np.arange(length - at)
        return {
            "input_ids": ids.tolist(),
            "labels": labels.tolist(),
            "position_ids": positions.tolist(),
            "sources": sources.tolist(),
        }

    def _piece(self, piece: int) -> tuple[int, NDArray[np.unsignedinteger[Any]], NDArray[np.bool_]]:
        segment = int(self.plan.segments[piece])
        source = int(np.searchsorted(self._first, segment, side="right")) - 1
        start, size = int(self.plan.starts[piece]), int(self.plan.lengths[piece])
        ids, learnt = self._parts[source].store.piece(segment - int(self._first[source]), start, size)
        return source, ids, learnt
