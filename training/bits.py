"""Bits per byte: a loss that does not depend on how a tokenizer cuts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from training.data.tokenise import IGNORED

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Batch = dict[str, torch.Tensor]


@dataclass(frozen=True, slots=True)
class Score:
    """A model on an evaluation set.

    Parameters
    ----------
    nats
        Summed losses of the learnt tokens, ends of turn and of document included.
    tokens
        How many those are.
    text_bytes
        Bytes of UTF-8 that they stand for; special tokens stand for none.
    """

    nats: float
    tokens: int
    text_bytes: int

    @property
    def loss(self) -> float | None:
        """Nats a learnt token; None where nothing is learnt."""
        return self.nats / self.tokens if self.tokens else None

    @property
    def bits_per_byte(self) -> float | None:
        """``nats / (ln 2 * bytes)`` (Gao et al., 2020, the Pile, section 3.1); None where there is no text."""
        return self.nats / math.log(2) / self.text_bytes if self.text_bytes else None


def bytes_of_tokens(tokenizer: PreTrainedTokenizerBase) -> torch.Tensor:
    """How many bytes of text each token stands for, of shape ``(vocabulary,)``.

    A byte-level vocabulary writes each byte as one character; of any other, a token's text is counted.
    """
    special = set(tokenizer.all_special_ids) | set(getattr(tokenizer, "added_tokens_decoder", {}))
    names = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    byte_level = _is_byte_level(tokenizer)
    counts = [
        0
        if each in special or name is None
        else len(name)
        if byte_level
        else len(str(tokenizer.decode([each])).encode())
        for each, name in enumerate(names)
    ]
    return torch.tensor(counts)


def batches(rows: object, *, at_once: int, rank: int, ranks: int) -> Iterator[list[dict[str, list[int]]]]:
    """This process's share of a set, in order, each process the same number of batches of the same size.

    Where a share has fewer rows, a row in which nothing is learnt takes the place: sharded weights are gathered by all processes together.

    Parameters
    ----------
    rows
        With a length, by index.
    at_once
        Rows a batch.
    """
    total = len(rows)  # type: ignore[arg-type]  # rows are a sequence of their own kind
    rounds = -(-total // (at_once * ranks))
    for round_ in range(rounds):
        first = (round_ * ranks + rank) * at_once
        yield [_row(rows, index, total) for index in range(first, first + at_once)]


def _row(rows: object, index: int, total: int) -> dict[str, list[int]]:
    row = dict(rows[min(index, total - 1)])  # type: ignore[index]  # as above
    if index >= total:
        row["labels"] = [IGNORED] * len(row["labels"])
    return row


def _is_byte_level(tokenizer: PreTrainedTokenizerBase) -> bool:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    return backend is not None and "ByteLevel" in repr(backend.decoder)
