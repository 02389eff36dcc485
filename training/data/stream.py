"""What a recipe learns and is measured on, as packed rows."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from training.config import BUILT_IN, Recipe
from training.data import builtin
from training.data.row_set import Part, RowSet
from training.data.tokenise import Encoder
from training.data.tokenised import Tokenised, tokenised
from training.errors import BadData, BadRecipe
from training.parts import Source
from training.paths import Roots, resolve

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

log = logging.getLogger("training")


def row_set(recipe: Recipe, tokenizer: PreTrainedTokenizerFast, roots: Roots) -> RowSet:
    """The rows that a recipe learns from; what is not tokenised yet is, and stays in the folder of tokens.

    Raises
    ------
    BadData
        Where a source cannot be read, has no row that can be used, or none that fits.
    BadRecipe
        Where nothing says what ``DATA/`` stands for, or the tokenizer does not suit the template.
    """
    weights = recipe.data.shares.model_dump() if recipe.data.shares else None
    return _rows(recipe, recipe.sources, tokenizer, roots, weights)


def evaluation_sets(recipe: Recipe, tokenizer: PreTrainedTokenizerFast, roots: Roots) -> dict[str, RowSet]:
    """The rows that a recipe is measured on, by name, each segment once; raises as :func:`row_set`."""
    return {
        name: _rows(recipe, {name: source}, tokenizer, roots, None)
        for name, source in recipe.data.evaluation.items()
    }


def tokenise(
    recipe: Recipe, tokenizer: PreTrainedTokenizerFast, roots: Roots, *, processes: int | None = None
) -> Iterable[tuple[str, Source, Tokenised | None]]:
    """All sources that a recipe learns from and is measured on, one after the other; None for one that is made in memory.

    Raises as :func:`row_set`.
    """
    encoder = Encoder.of(tokenizer)
    for name, source in {**recipe.sources, **recipe.data.evaluation}.items():
        if source.path.startswith(BUILT_IN):
            yield name, source, None
        else:
            yield name, source, _tokenised(name, source, encoder, roots, processes)


def _rows(
    recipe: Recipe,
    sources: Mapping[str, Source],
    tokenizer: PreTrainedTokenizerFast,
    roots: Roots,
    weights: Mapping[str, float] | None,
) -> RowSet:
    if tokenizer.pad_token_id is None:
        raise BadRecipe(f"{recipe.code}: the tokenizer has no token to pad with")
    encoder = Encoder.of(tokenizer)
    found = RowSet(
        [_part(name, each, recipe, encoder, roots) for name, each in sources.items()],
        weights=weights,
        row_tokens=recipe.data.row_tokens,
        pad_id=tokenizer.pad_token_id,
        seed=recipe.schedule.seed,
        keep=roots.store / "plans",
    )
    for name, chats in found.left_out.items():
        if chats:
            log.warning("%s: %d chats are longer than %d tokens and left out", name, chats, found.row_tokens)
    if not len(found):
        raise BadData(f"{recipe.code}: no row of {', '.join(sources)} fits {found.row_tokens} tokens")
    return found


def _part(name: str, source: Source, recipe: Recipe, encoder: Encoder, roots: Roots) -> Part:
    if source.path.startswith(BUILT_IN):
        return Part(name, source.factor, builtin.store(source, recipe, encoder), None)
    found = _tokenised(name, source, encoder, roots, None)
    bad = found.about["bad"]
    if bad["rows"]:
        log.warning("%s: %d rows could not be used: %s", name, bad["rows"], bad["reasons"])
    return Part(name, source.factor, found.store, found.about["key"])


def _tokenised(name: str, source: Source, encoder: Encoder, roots: Roots, processes: int | None) -> Tokenised:
    path = resolve(source.path, roots)
    return tokenised(name, path, source.kind, encoder, folder=roots.store, processes=processes)
