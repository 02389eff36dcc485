"""A small tokenizer, texts and files that tests put together."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from training.data import corpus
from training.data.rows import line, open_to_write
from training.data.tokenise import Encoder
from training.tokenizer import train_tokenizer

Messages = list[dict[str, str]]

TALK: Messages = [
    {"role": "system", "content": " Euskaraz. "},
    {"role": "user", "content": "Kaixo"},
    {"role": "assistant", "content": "Aupa!"},
    {"role": "user", "content": "Eskerrik asko"},
    {"role": "assistant", "content": "\n\nEz horregatik! 🌿\n"},
]

texts = st.text(max_size=12).filter(lambda text: "<|" not in text)  # hypothesis tries words of our source
answers = texts.filter(lambda text: bool(text.strip()))


@st.composite
def talks(draw: st.DrawFn) -> Messages:
    """Chats of one to three exchanges, some under a system message."""
    found: Messages = [{"role": "system", "content": draw(texts)}] if draw(st.booleans()) else []
    for _ in range(draw(st.integers(1, 3))):
        found.append({"role": draw(st.sampled_from(["user", " user\n"])), "content": draw(texts)})
        found.append({"role": "assistant", "content": draw(answers)})
    return found


@functools.cache
def tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer(corpus.documents(), vocabulary=500)


@functools.cache
def encoder() -> Encoder:
    return Encoder.of(tokenizer())


def write_rows(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_to_write(path) as file:
        file.writelines(map(line, rows))
    return path


def documents(count: int, words: int = 8) -> list[dict[str, Any]]:
    """Rows of documents of different lengths, no two alike."""
    return [{"text": f"{number} " + "etxe handia " * (1 + number % words)} for number in range(count)]


def chats(count: int, words: int = 8) -> list[dict[str, Any]]:
    """Rows of chats of different lengths, no two alike."""
    return [
        {
            "conversations": [
                {"role": "user", "content": f"Zenbat da {number}?"},
                {"role": "assistant", "content": f"{number} " + "mendi " * (1 + number % words)},
            ]
        }
        for number in range(count)
    ]
