"""What a recipe learns and is measured on, as packed rows."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from training.config import BUILT_IN, Recipe, Source
from training.data import builtin, shares
from training.data.pack import Plan, plan
from training.data.rows import BadRows, inputs, messages_of, read_rows, text_of
from training.data.store import Store, shard_of
from training.data.tokenise import IGNORED, Encoder, Segment, checked
from training.errors import BadData
from training.paths import Roots, resolve

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

log = logging.getLogger("training")
_SHUFFLE, _PACK = 0, 1  # apart, so that the two draw from streams of their own


class RowSet:
    """Packed rows of one pass, by index; every pass is drawn and packed anew, the same for the same seed.

    Parameters
    ----------
    stores
        Sources by name; their order gives the numbers in ``sources``.
    factors
        Each source's factor, for the shares.
    weights
        Shares of a pass's tokens by factor; None for every segment once a pass.
    row_tokens
        Tokens a row.
    pad_id
        Fills a row's rest.
    seed
        Of what is drawn, packed together, and in what order.
    """

    def __init__(
        self,
        stores: Mapping[str, Store],
        *,
        factors: Mapping[str, str],
        weights: Mapping[str, float] | None,
        row_tokens: int,
        pad_id: int,
        seed: int,
    ) -> None:
        self.source_names = tuple(stores)
        self.row_tokens = row_tokens
        self._stores = list(stores.values())
        self._factors = [factors[name] for name in stores]
        self._weights, self._pad_id, self._seed = weights, pad_id, seed
        sizes = [len(each) for each in self._stores]
        self._first = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        self._lengths = np.concatenate([each.lengths for each in self._stores])
        self._may_cut = np.repeat([each.kind == "documents" for each in self._stores], sizes)
        self._epoch = -1
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Draw and pack the rows of a pass, counted from 0."""
        if epoch != self._epoch:
            taken = self._taken(epoch)
            self.plan: Plan = plan(
                taken,
                self._lengths[taken],
                self._may_cut[taken],
                row_tokens=self.row_tokens,
                seed=(self._seed, _PACK, epoch),
            )
            self._epoch = epoch

    def _taken(self, epoch: int) -> NDArray[np.int64]:
        """The segments of a pass, counted over all sources."""
        if self._weights is None:
            return np.arange(len(self._lengths))
        fits = self._may_cut | (self._lengths <= self.row_tokens)
        pools = {
            factor: np.flatnonzero(fits & self._of(factor))
            for factor, share in self._weights.items()
            if share
        }
        tokens = {factor: int(self._lengths[pool].sum(dtype=np.int64)) for factor, pool in pools.items()}
        found = [
            pools[factor][
                shares.window(
                    self._lengths[pools[factor]], quota, seed=(self._seed, _SHUFFLE, number), epoch=epoch
                )
            ]
            for number, (factor, quota) in enumerate(shares.quotas(tokens, self._weights).items())
        ]
        return np.concatenate(found)

    def _of(self, factor: str) -> NDArray[np.bool_]:
        return np.repeat([each == factor for each in self._factors], np.diff(self._first))

    def __len__(self) -> int:
        return len(self.plan)

    def __getitem__(self, index: int) -> dict[str, list[int]]:
        if not 0 <= index < len(self):
            raise IndexError(index)
        length, at, found = self.row_tokens, 0, self.plan
        ids = np.full(length, self._pad_id, dtype=np.int64)
        labels = np.full(length, IGNORED, dtype=np.int64)
        positions = np.arange(length)
        sources = np.full(length, -1, dtype=np.int64)
        for piece in range(int(found.ends[index - 1]) if index else 0, int(found.ends[index])):
            segment, size = int(found.segments[piece]), int(found.lengths[piece])
            source = int(np.searchsorted(self._first, segment, side="right")) - 1
            inside = segment - int(self._first[source])
            tokens, learnt = self._stores[source].piece(inside, int(found.starts[piece]), size)
            end = at + size
            ids[at:end] = tokens
            labels[at + 1 : end] = np.where(learnt[1:], ids[at + 1 : end], IGNORED)
            positions[at:end] = np.arange(size)
            sources[at:end] = source
            at = end
        positions[at:] = np.arange(length - at)
        return {
            "input_ids": ids.tolist(),
            "labels": labels.tolist(),
            "position_ids": positions.tolist(),
            "sources": sources.tolist(),
        }


def row_set(recipe: Recipe, tokenizer: PreTrainedTokenizerFast, roots: Roots) -> RowSet:
    """The rows that a recipe learns from.

    Raises
    ------
    BadData
        Where a source cannot be read, has no row that can be used, or none that fits.
    BadRecipe
        Where nothing says what ``DATA/`` stands for.
    """
    return _rows(recipe, recipe.sources, tokenizer, roots, weighed=True)


def evaluation_sets(recipe: Recipe, tokenizer: PreTrainedTokenizerFast, roots: Roots) -> dict[str, RowSet]:
    """The rows that a recipe is measured on, by name; raises as :func:`row_set`."""
    return {
        name: _rows(recipe, {name: source}, tokenizer, roots, weighed=False)
        for name, source in recipe.data.evaluation.items()
    }


def _rows(
    recipe: Recipe,
    sources: Mapping[str, Source],
    tokenizer: PreTrainedTokenizerFast,
    roots: Roots,
    *,
    weighed: bool,
) -> RowSet:
    encoder = Encoder.of(tokenizer)
    stores = {name: _store(each, recipe, encoder, roots) for name, each in sources.items()}
    weights = recipe.data.shares.model_dump() if weighed and recipe.data.shares else None
    found = RowSet(
        stores,
        factors={name: each.factor for name, each in sources.items()},
        weights=weights,
        row_tokens=recipe.data.row_tokens,
        pad_id=int(tokenizer.pad_token_id),
        seed=recipe.schedule.seed,
    )
    if not len(found):
        raise BadData(f"{recipe.code}: no row of {', '.join(sources)} fits {found.row_tokens} tokens")
    return found


def _store(source: Source, recipe: Recipe, encoder: Encoder, roots: Roots) -> Store:
    if source.path.startswith(BUILT_IN):
        return builtin.store(source, recipe, encoder)
    return _read(resolve(source.path, roots), source, encoder)


def _read(path: Path, source: Source, encoder: Encoder) -> Store:
    bad, segments = BadRows(), list[Segment]()
    for file in inputs([path]):
        for place, fields in read_rows(file, bad):
            try:
                if source.kind == "documents":
                    segments.append(encoder.document(checked(text_of(fields))))
                else:
                    messages = messages_of(fields)
                    for each in messages:
                        checked(each["content"])
                    segments.append(encoder.chat(messages))
            except BadData as error:
                bad.add(place, str(error))
    if bad.counts:
        log.warning("%s: rows that could not be used: %s", path, bad.report())
    return Store(source.kind, [shard_of(segments, source.kind, encoder.vocabulary)])
