"""The study's mixture: documents and chats in one shuffled stream of rows."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from training.config import Recipe
from training.data import chats, corpus
from training.data.pack import Row, pack
from training.data.tokenise import Segment, chat, document

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


def rows(recipe: Recipe, tokenizer: PreTrainedTokenizerFast, *, n_rows: int) -> list[Row]:
    """The first *n_rows* rows of a run, the same for the same recipe.

    Sources are drawn by their shares of tokens, not of segments. Chats longer than a row are left out.
    """
    length = recipe.data.row_tokens
    rng = random.Random(recipe.schedule.seed)  # noqa: S311  # reproducible on purpose
    segments = (part for part in _segments(recipe, tokenizer, rng) if len(part) <= length)
    packed = pack(segments, length=length, pad_id=tokenizer.pad_token_id)
    return [next(packed) for _ in range(n_rows)]


def tokenizer_texts() -> Iterator[str]:
    """What the tokenizer learns from: documents, questions and answers of both languages, role names, system prompts."""
    rng = random.Random(0)  # noqa: S311  # reproducible on purpose
    yield from corpus.documents()
    for source in (chats.basque(), chats.english()):
        for _, messages in zip(range(1500), chats.chats(source.train, rng), strict=False):
            yield from (f"{message['role']}\n\n{message['content']}" for message in messages)
    yield from ["Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n"] * 200


def _segments(recipe: Recipe, tokenizer: PreTrainedTokenizerFast, rng: random.Random) -> Iterator[Segment]:
    sources: dict[str, Callable[[], Segment]] = {
        "corpus": _documents(tokenizer, rng),
        "eu": _chats(chats.basque(), tokenizer, rng),
        "en": _chats(chats.english(), tokenizer, rng),
    }
    shares = {name: getattr(recipe.data.shares, name) for name in sources}
    given = dict.fromkeys(sources, 0)
    while True:
        # the source that is furthest behind its share comes next
        name = max(shares, key=lambda each: shares[each] * (1 + sum(given.values())) - given[each])
        segment = sources[name]()
        given[name] += len(segment)
        yield segment


def _documents(tokenizer: PreTrainedTokenizerFast, rng: random.Random) -> Callable[[], Segment]:
    encoded = [document(tokenizer, text) for text in corpus.documents()]
    waiting: list[Segment] = []

    def take() -> Segment:
        if not waiting:
            waiting.extend(rng.sample(encoded, len(encoded)))
        return waiting.pop()

    return take


def _chats(
    source: chats.Split, tokenizer: PreTrainedTokenizerFast, rng: random.Random
) -> Callable[[], Segment]:
    stream = chats.chats(source.train, rng)
    return lambda: chat(tokenizer, next(stream))
