"""Bits per byte."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training import tiny
from training.bits import Score, batches, bytes_of_tokens


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_texts_tokens_have_its_bytes(text: str) -> None:
    ids = tiny.tokenizer().encode(text, add_special_tokens=False)
    assert bytes_of_tokens(tiny.tokenizer())[ids].sum() == len(text.encode())


def test_special_tokens_have_none() -> None:
    tokenizer = tiny.tokenizer()
    table = bytes_of_tokens(tokenizer)
    ids = tokenizer.convert_tokens_to_ids(["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"])
    assert not table[ids].any()
    assert table.shape == (len(tokenizer),)
    assert int(table.eq(0).sum()) == 5


def test_a_vocabulary_of_words_counts_their_text() -> None:
    class Words:
        all_special_ids = (0,)
        names = ("<s>", "▁etxe", "ñ")

        def __len__(self) -> int:
            return 3

        def convert_ids_to_tokens(self, ids: list[int]) -> list[str]:
            return [self.names[each] for each in ids]

        def decode(self, ids: list[int]) -> str:
            return self.names[ids[0]].replace("▁", " ")

    words: Any = Words()
    assert bytes_of_tokens(words).tolist() == [0, 5, 2]


def test_a_score_in_nats_and_bits() -> None:
    score = Score(nats=100 * math.log(2), tokens=50, text_bytes=200)
    assert score.bits_per_byte == pytest.approx(0.5)
    assert score.loss == pytest.approx(2 * math.log(2))


def test_nothing_learnt_has_no_score() -> None:
    assert Score(0.0, 0, 0).loss is None
    assert Score(0.0, 2, 0).bits_per_byte is None


@given(st.integers(1, 20), st.integers(1, 4), st.integers(1, 3))
def test_processes_share_a_set_and_nothing_is_counted_twice(total: int, at_once: int, ranks: int) -> None:
    rows = [{"input_ids": [number], "labels": [number]} for number in range(total)]
    shares = [list(batches(rows, at_once=at_once, rank=rank, ranks=ranks)) for rank in range(ranks)]
    assert len({len(share) for share in shares}) == 1
    assert {len(batch) for share in shares for batch in share} == {at_once}
    learnt = [
        row["labels"][0] for share in shares for batch in share for row in batch if row["labels"] != [-100]
    ]
    assert sorted(learnt) == list(range(total))


def test_the_rows_that_fill_up_leave_the_set_as_it_is() -> None:
    rows = [{"input_ids": [1], "labels": [7]}]
    list(batches(rows, at_once=3, rank=0, ranks=1))
    assert rows == [{"input_ids": [1], "labels": [7]}]
