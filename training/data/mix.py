"""What the embedded candidates' tokenizer learns from."""

from __future__ import annotations

import random
from collections.abc import Iterator

from training.data import chats, corpus


def tokenizer_texts() -> Iterator[str]:
    """What the tokenizer learns from: documents, questions and answers of both languages, role names, system prompts."""
    rng = random.Random(0)  # noqa: S311  # reproducible on purpose
    yield from corpus.documents()
    for source in (chats.basque(), chats.english()):
        for _, messages in zip(range(1500), chats.chats(source.train, rng), strict=False):
            yield from (f"{message['role']}\n\n{message['content']}" for message in messages)
    yield from ["Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n"] * 200
