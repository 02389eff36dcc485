"""What the embedded candidates' tokenizer learns from, and the rows of one of their runs."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING

from training.config import Recipe
from training.data import chats, corpus
from training.data.stream import row_set
from training.paths import Roots

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


def rows(recipe: Recipe, tokenizer: PreTrainedTokenizerFast, *, n_rows: int) -> list[dict[str, list[int]]]:
    """The first *n_rows* rows of a run, pass after pass."""
    found = row_set(recipe, tokenizer, Roots())
    rows: list[dict[str, list[int]]] = []
    epoch = 0
    while len(rows) < n_rows:
        found.set_epoch(epoch)
        rows += [found[index] for index in range(min(len(found), n_rows - len(rows)))]
        epoch += 1
    return rows


def tokenizer_texts() -> Iterator[str]:
    """What the tokenizer learns from: documents, questions and answers of both languages, role names, system prompts."""
    rng = random.Random(0)  # noqa: S311  # reproducible on purpose
    yield from corpus.documents()
    for source in (chats.basque(), chats.english()):
        for _, messages in zip(range(1500), chats.chats(source.train, rng), strict=False):
            yield from (f"{message['role']}\n\n{message['content']}" for message in messages)
    yield from ["Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n"] * 200
