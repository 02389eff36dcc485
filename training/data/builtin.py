"""The sources that this package makes of its own texts, tokenised in memory."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from training.config import BUILT_IN, Recipe
from training.data import chats, corpus
from training.data.store import Store, shard_of
from training.data.tokenise import Encoder, Segment
from training.errors import BadData, BadRecipe
from training.parts import Source

_TOKENS = 1 << 18  # of chats, where the recipe does not say how many are learnt
_MISSES = 200  # in a row: chats have no end, and none may fit
_CHATS: dict[str, Callable[[], chats.Split]] = {"basque": chats.basque, "english": chats.english}


def store(source: Source, recipe: Recipe, encoder: Encoder) -> Store:
    """A source whose path is ``builtin:NAME``.

    Documents are all there are. Chats have no end: a run whose steps are known gets as many as it learns, and none twice.

    Raises
    ------
    BadRecipe
        For a name or kind that there is not.
    BadData
        Where no chat fits a row.
    """
    name = source.path.removeprefix(BUILT_IN)
    if (name, source.kind) == ("prose", "documents"):
        segments = encoder.documents(corpus.documents())
    elif name in _CHATS and source.kind == "chats":
        rng = random.Random(f"{recipe.schedule.seed} {name}")  # noqa: S311  # reproducible on purpose
        talks = chats.chats(_CHATS[name]().train, rng)
        segments = list(_enough((encoder.chat(each) for each in talks), recipe))
    else:
        raise BadRecipe(f"{recipe.code}: no built-in {source.kind} are called {name}")
    return Store(source.kind, [shard_of(segments, source.kind, encoder.vocabulary)])


def _enough(segments: Iterator[Segment], recipe: Recipe) -> Iterator[Segment]:
    """So many that a run sees none twice; those that no row holds do not count."""
    batch, length = recipe.batch, recipe.data.row_tokens
    rows = (recipe.schedule.steps or 0) * batch.rows * batch.accumulation * batch.processes
    left, missed = rows * length or _TOKENS, 0
    for each in segments:
        if left <= 0:
            return
        missed = 0 if len(each) <= length else missed + 1
        if missed > _MISSES:
            raise BadData(f"{recipe.code}: no built-in chat fits a row of {length} tokens")
        if not missed:
            left -= len(each)
            yield each
