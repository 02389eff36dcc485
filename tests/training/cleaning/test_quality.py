from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.cleaning.planted import composed, sentences
from training.data.cleaning.grams import WordHashes, words
from training.data.cleaning.options import Options, options
from training.data.cleaning.quality import repeats_itself


def repeats(text: str, chosen: Options | None = None) -> bool:
    return repeats_itself(text.split("\n"), WordHashes().of(words(text)), chosen or Options())


def plainly(found: list[int], chosen: Options) -> bool:
    """The same rules, word by word."""
    n = len(found)
    if n < 50:
        return False
    for size, limit in (
        (2, chosen.top_2_words_share),
        (3, chosen.top_3_words_share),
        (4, chosen.top_4_words_share),
    ):
        most = max(Counter(tuple(found[at : at + size]) for at in range(n - size + 1)).values())
        if most > 1 and most * size > limit * n:
            return True
    for size, limit in ((5, chosen.again_5_words_share), (10, chosen.again_10_words_share)):
        runs = [tuple(found[at : at + size]) for at in range(n - size + 1)]
        if len(runs) - len(set(runs)) > limit * len(runs):
            return True
    return False


@given(
    st.lists(st.integers(1, 4).flatmap(lambda most: st.integers(1, 10**most)), min_size=30, max_size=120),
    st.integers(0, 40),
    st.integers(1, 6),
)
def test_short_cuts_decide_as_the_rules_do(found: list[int], length: int, times: int) -> None:
    repeated = found + found[:length] * times
    hashes = np.array(repeated, dtype=np.uint64)
    assert repeats_itself(["x"], hashes, Options()) == plainly(repeated, Options())


@given(st.integers(60, 160), st.integers(1, 12), st.integers(0, 30), st.booleans())
def test_one_run_among_other_words_is_found_at_its_limit(
    n: int, length: int, times: int, tops_alone: bool
) -> None:
    run = list(range(1, length + 1))
    found = [word for at in range(times) for word in (*run, 10_000 + at)]
    found += range(20_000, 20_000 + max(0, n - len(found)))
    chosen = options(again_5_words_share=1.0, again_10_words_share=1.0) if tops_alone else Options()
    assert repeats_itself(["x"], np.array(found, dtype=np.uint64), chosen) == plainly(found, chosen)


def test_basque_prose_does_not_repeat_itself() -> None:
    rng, pool = random.Random(5), sentences()
    assert not any(repeats(composed(rng, pool, paragraphs=4)) for _ in range(50))


@pytest.mark.parametrize(
    "text",
    [
        "Erosi orain merke! " * 30,
        "Bat bi hiru lau bost sei zazpi zortzi bederatzi hamar hamaika hamabi. " * 6,
        "\n".join(["Irakurri gehiago hemen."] * 3 + ["Gaur hasi da."]),
    ],
)
def test_repetition_is_found(text: str) -> None:
    assert repeats(text.strip())


def test_lines_that_stood_before_count_by_their_characters() -> None:
    text = "Lehen lerro luze samarra da hau, eta ez da errepikatzen.\nBai.\nBai.\nBai."
    assert not repeats(text)
    assert repeats(text, options(repeated_lines_share=0.05))


def test_few_words_may_repeat_themselves() -> None:
    assert not repeats("Bai, bai, bai, bai esan zuen; bai, bai, bai.")
