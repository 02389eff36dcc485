from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.cleaning.planted import changed, composed, sentences
from training.data.cleaning.grams import WordHashes, grams, mixed, words
from training.data.cleaning.near import (
    BANDS,
    MINIMA,
    SignatureFiles,
    Signatures,
    Sketcher,
    bands,
    leaders,
    similar,
    stacked,
)
from training.data.cleaning.thin import band_records, sorted_bands

hashes = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=60).map(
    lambda found: np.array(found, dtype=np.uint64)
)


def sketched(text: str) -> Signatures:
    return Sketcher(3)(WordHashes().of(words(text)))


def made(*parts: tuple[int, int]) -> Signatures:
    """A signature of so many minima of each number."""
    return np.repeat(
        np.array([number for number, _ in parts], dtype=np.uint32), [count for _, count in parts]
    )


def found_in(signatures: Signatures, similarity: float = 0.6) -> dict[int, set[int]]:
    keys, numbers = sorted_bands(signatures)
    near, of = leaders(keys, numbers, signatures.__getitem__, similarity)
    pairs: dict[int, set[int]] = {}
    for one, other in zip(near.tolist(), of.tolist(), strict=True):
        pairs.setdefault(one, set()).add(other)
    return pairs


@settings(max_examples=30)
@given(hashes, hashes)
def test_signatures_are_datasketchs(one: np.ndarray, other: np.ndarray) -> None:
    sketches = []
    for found in (one, other):
        sketch = MinHash(num_perm=MINIMA, scheme="affine32", hashfunc=int)
        sketch.update_batch((mixed(grams(found, min(3, len(found)))) >> np.uint64(32)).tolist())
        assert np.array_equal(Sketcher(3)(found), sketch.hashvalues)
        sketches.append(sketch)
    estimate = similar(sketches[0].hashvalues[None], sketches[1].hashvalues[None])
    assert estimate[0] == sketches[0].jaccard(sketches[1])


def test_one_sketcher_makes_many_signatures() -> None:
    sketcher, found = Sketcher(3), WordHashes()
    some = [found.of(words(text)) for text in sentences()[:4]]
    assert all(np.array_equal(sketcher(each), Sketcher(3)(each)) for each in [*some, *some])


def test_long_documents_are_sketched_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    found = np.arange(1000, dtype=np.uint64)
    whole = Sketcher(3)(found)
    monkeypatch.setattr("training.data.cleaning.near._TOGETHER", 7)
    assert np.array_equal(Sketcher(3)(found), whole)


@pytest.mark.parametrize(("share", "least"), [(0.02, 0.99), (0.05, 0.99), (0.07, 0.85)])
def test_documents_with_a_few_words_changed_are_alike(share: float, least: float) -> None:
    rng, pool = random.Random(7), sentences()
    originals = [composed(rng, pool) for _ in range(100)]
    pairs = [np.stack((sketched(text), sketched(changed(rng, text, share)))) for text in originals]
    alike = [found_in(pair) == {1: {0}} for pair in pairs]
    assert np.mean(alike) >= least


def test_documents_that_share_a_third_of_their_sentences_are_not_alike() -> None:
    rng, pool = random.Random(8), sentences()
    for _ in range(100):
        chosen = rng.sample(pool, 15)
        one, other = " ".join(chosen[:9]), " ".join(chosen[6:])
        assert not found_in(np.stack((sketched(one), sketched(other))))


def test_each_band_has_keys_of_its_own() -> None:
    keys = bands(np.zeros((2, MINIMA), dtype=np.uint32))
    assert keys.shape == (2, BANDS)
    assert len(set(keys[0].tolist())) == BANDS
    assert np.array_equal(keys[0], keys[1])


def test_a_minimum_that_differs_changes_its_band_alone() -> None:
    signatures = np.zeros((2, MINIMA), dtype=np.uint32)
    signatures[1, 4] = 1
    assert np.flatnonzero(np.diff(bands(signatures), axis=0)[0]).tolist() == [1]


def test_the_first_leads_also_where_it_goes_itself() -> None:
    # 1 is like 0, 2 is like 1 but not like 0
    signatures = np.stack((made((1, 128)), made((1, 90), (2, 38)), made((1, 60), (2, 68))))
    assert found_in(signatures) == {1: {0}, 2: {1}}


def test_one_that_is_unlike_the_first_may_be_like_the_second() -> None:
    # all share their first band, and no other: of each other one minimum differs between the last two
    first, second = made((1, 4), (2, 124)), made((1, 4), (3, 124))
    third = second.copy()
    third[4::4] = 5
    assert found_in(np.stack((first, second, third))) == {2: {1}}


def test_similarity_decides_among_those_that_share_a_band() -> None:
    signatures = np.stack((made((1, 128)), made((1, 80), (2, 48))))
    assert found_in(signatures, 0.625) == {1: {0}}
    assert found_in(signatures, 0.63) == {}


@settings(max_examples=40)
@given(
    st.lists(st.lists(st.integers(0, 2), min_size=4, max_size=4), min_size=1, max_size=12), st.floats(0.1, 1)
)
def test_whatever_is_named_is_alike_and_earlier(parts: list[list[int]], similarity: float) -> None:
    signatures = np.repeat(np.array(parts, dtype=np.uint32), MINIMA // 4, axis=1)
    for one, others in found_in(signatures, similarity).items():
        for other in others:
            assert other < one
            assert similar(signatures[[one]], signatures[[other]])[0] >= similarity


def test_no_document_has_no_duplicates() -> None:
    assert found_in(stacked([])) == {}
    assert band_records(stacked([])) == b""


def test_pairs_are_compared_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    signatures = np.stack([made((n // 3, 128)) for n in range(30)])
    expected = found_in(signatures)
    assert len(expected) == 20
    monkeypatch.setattr("training.data.cleaning.near._PAIRS", 3)
    assert found_in(signatures) == expected


def test_of_a_band_that_many_share_a_bounded_number_is_kept() -> None:
    signatures = np.random.default_rng(1).integers(0, 2**32, (100, MINIMA), dtype=np.uint32)
    signatures[:, :4] = 7
    n = len(band_records(signatures)) // 16
    assert n == 100 * (BANDS - 1) + 16


def test_signatures_are_read_from_the_files_of_their_batches(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    parts = [rng.integers(0, 2**32, (n, MINIMA), dtype=np.uint32) for n in (3, 0, 2)]
    paths = [tmp_path / f"{at}" for at in range(3)]
    for path, part in zip(paths, parts, strict=True):
        path.write_bytes(part.tobytes())
    read = SignatureFiles(paths, np.array([0, 3, 3, 5]))
    assert np.array_equal(read(np.array([0, 2, 3, 4])), np.concatenate(parts)[[0, 2, 3, 4]])
