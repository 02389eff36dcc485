"""Rows to a batch."""

from __future__ import annotations

import pytest
import torch

from training.collator import NAMES, PackedCollator
from training.data.tokenise import IGNORED
from training.errors import BadData

Row = dict[str, list[int]]


def row(sizes: list[int], padded: int = 0) -> Row:
    """Documents of some sizes, then padding."""
    tokens = sum(sizes)
    return {
        "input_ids": [7] * tokens + [0] * padded,
        "labels": [7] * tokens + [IGNORED] * padded,
        "position_ids": [place for size in [*sizes, padded] for place in range(size)],
        "sources": [0] * tokens + [-1] * padded,
    }


def test_a_batch_has_the_rows_values_and_no_mask() -> None:
    batch = PackedCollator()([row([3, 2]), row([4], padded=1)])
    assert tuple(batch) == NAMES
    assert "attention_mask" not in batch
    assert all(each.shape == (2, 5) and each.dtype == torch.int64 for each in batch.values())
    assert batch["input_ids"].tolist() == [[7] * 5, [7, 7, 7, 7, 0]]
    assert batch["position_ids"].tolist() == [[0, 1, 2, 0, 1], [0, 1, 2, 3, 0]]
    assert batch["sources"].tolist() == [[0] * 5, [0, 0, 0, 0, -1]]


def test_no_document_is_predicted_from_the_one_before_and_padding_is_not_learnt() -> None:
    batch = PackedCollator()([row([3, 2]), row([2, 1], padded=2)])
    assert batch["labels"].tolist() == [
        [IGNORED, 7, 7, IGNORED, 7],
        [IGNORED, 7, IGNORED, IGNORED, IGNORED],
    ]


def test_rows_are_left_as_they_were() -> None:
    given = row([3, 2])
    PackedCollator()([given])
    assert given == row([3, 2])


def test_a_mask_or_a_missing_name_is_refused() -> None:
    with pytest.raises(BadData, match="attention_mask"):
        PackedCollator()([row([3]) | {"attention_mask": [1, 1, 1]}])
    short = row([3])
    del short["position_ids"]
    with pytest.raises(BadData, match="position_ids"):
        PackedCollator()([short])


def test_rows_of_two_lengths_are_refused() -> None:
    with pytest.raises(BadData, match="one length, not of 3, 4"):
        PackedCollator()([row([3]), row([4])])
