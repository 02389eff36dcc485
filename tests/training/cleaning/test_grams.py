from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data.cleaning import grams as module
from training.data.cleaning.grams import WordHashes, grams, mixed, words

hashes = st.lists(st.integers(0, 2**64 - 1), max_size=40).map(lambda found: np.array(found, dtype=np.uint64))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Kaixo, MUNDUA!", ["kaixo", "mundua"]),
        ("«Ñabar» eta “Álava”…", ["ñabar", "eta", "álava"]),
        ("etxe-ondoko 12,5 a_b l'eau", ["etxe", "ondoko", "12", "5", "a_b", "l", "eau"]),
        ("lerroa\nbestea", ["lerroa", "bestea"]),
        ("—¿zer?—", ["zer"]),
        ("", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == [each.encode() for each in expected]


@given(st.text(st.characters(codec="utf-8")))
def test_words_hold_no_space_and_no_ascii_sign(text: str) -> None:
    for word in words(text):
        assert word
        assert not set(word) & set(b" \n\t.,;:!?()[]{}'\"-")


@given(hashes, st.integers(1, 13))
def test_there_is_a_run_from_each_word_that_has_enough_after_it(found: np.ndarray, n: int) -> None:
    assert len(grams(found, n)) == max(0, len(found) - n + 1)


@given(hashes, hashes, hashes, st.integers(1, 6))
def test_a_run_is_the_same_wherever_it_stands(
    before: np.ndarray, run: np.ndarray, after: np.ndarray, n: int
) -> None:
    alone = grams(run, n)
    inside = grams(np.concatenate((before, run, after)), n)
    assert np.array_equal(inside[len(before) : len(before) + len(alone)], alone)


def test_order_and_length_count() -> None:
    one, two, three = (np.array(each, dtype=np.uint64) for each in ([1, 2, 3], [3, 2, 1], [1, 2]))
    assert grams(one, 3) != grams(two, 3)
    assert len({*grams(one, 2).tolist(), *grams(two, 2).tolist(), *grams(three, 2).tolist()}) == 4


def test_runs_leave_the_words_alone() -> None:
    found = np.arange(5, dtype=np.uint64)
    grams(found, 1)[:] = 9
    grams(found, 3)
    assert np.array_equal(found, np.arange(5))


@given(st.lists(st.integers(0, 2**64 - 1), unique=True, max_size=50))
def test_mixing_is_one_to_one(values: list[int]) -> None:
    assert len(set(mixed(np.array(values, dtype=np.uint64)).tolist())) == len(values)


def test_hashes_are_the_same_in_every_process_and_after_forgetting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_WORDS", 3)
    some = words("bat bi hiru lau bost bat bi")
    found = WordHashes()
    first = found.of(some)
    assert len(found) <= 3
    assert np.array_equal(first, WordHashes().of(some))
    assert first[0] == 0x9A7B7C786C79C4BD  # of xxHash, XXH3 of 64 bits
