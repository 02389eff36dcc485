"""Packed rows by index."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data import row_set
from training.data.row_set import Part, RowSet
from training.data.store import Kind, Store, shard_of
from training.data.tokenise import IGNORED, Segment

PAD = 1


def part(
    name: str, sizes: list[int], kind: Kind = "documents", *, factor: str = "corpus", key: str | None = None
) -> Part:
    """Segments whose ids count up from a number of their own; of chats the second half is learnt."""
    made = []
    for number, size in enumerate(sizes):
        first = 1000 * (number + 1)
        learnt = (0, size) if kind == "documents" else (size // 2, size)
        made.append(Segment(list(range(first, first + size)), [learnt]))
    return Part(name, factor, Store(kind, [shard_of(made, kind, 1 << 17)]), key)


def rows(*parts: Part, row_tokens: int = 16, **how: Any) -> RowSet:
    return RowSet(parts, **{"weights": None, "row_tokens": row_tokens, "pad_id": PAD, "seed": 7} | how)


def all_of(found: RowSet) -> list[dict[str, list[int]]]:
    return [found[index] for index in range(len(found))]


sizes_of = st.lists(st.integers(1, 40), min_size=1, max_size=20)


@given(sizes_of, sizes_of, st.integers(4, 24))
def test_every_token_comes_once_and_chats_over_length_are_left_out_whole(
    documents: list[int], chats: list[int], row_tokens: int
) -> None:
    found = rows(part("prose", documents), part("talk", chats, "chats"), row_tokens=row_tokens)
    tokens = sorted(
        (source, token)
        for row in all_of(found)
        for source, token in zip(row["sources"], row["input_ids"], strict=True)
        if source >= 0
    )
    fitting = [(number, size) for number, size in enumerate(chats) if size <= row_tokens]
    assert tokens == sorted(
        [(0, 1000 * n + 1000 + place) for n, size in enumerate(documents) for place in range(size)]
        + [(1, 1000 * n + 1000 + place) for n, size in fitting for place in range(size)]
    )
    assert found.left_out == {"prose": 0, "talk": len(chats) - len(fitting)}


@given(sizes_of, sizes_of, st.integers(4, 24))
def test_rows_are_whole(documents: list[int], chats: list[int], row_tokens: int) -> None:
    """One length; positions restart with each piece; labels are the ids that are learnt, never a piece's first; padding is neither learnt nor of a source."""
    for row in all_of(rows(part("prose", documents), part("talk", chats, "chats"), row_tokens=row_tokens)):
        assert list(row) == ["input_ids", "labels", "position_ids", "sources"]
        assert {len(values) for values in row.values()} == {row_tokens}
        assert all(type(value) is int for values in row.values() for value in values)
        before = None
        for token, label, position, source in zip(*row.values(), strict=True):
            assert label in {IGNORED, token}
            if position == 0:
                assert label == IGNORED
            else:
                assert before is not None
                assert position == before[1] + 1
                assert source == before[2]
                assert source < 0 or token == before[0] + 1
                assert source != 0 or label == token
            if source < 0:
                assert (token, label) == (PAD, IGNORED)
            before = (token, position, source)


@given(sizes_of, sizes_of, st.integers(4, 24))
def test_exactly_what_is_learnt_is_learnt(documents: list[int], chats: list[int], row_tokens: int) -> None:
    """Of documents everything but each piece's first token, of chats the runs that were marked."""
    found = rows(part("prose", documents), part("talk", chats, "chats"), row_tokens=row_tokens)
    learnt: list[tuple[int, int]] = []
    for row in all_of(found):
        both = zip(row["sources"], row["labels"], strict=True)
        learnt += [(source, label) for source, label in both if label != IGNORED]
    wanted = [
        (0, 1000 * number + 1000 + place)
        for number, size in enumerate(documents)
        for place in range(size)
        if place % row_tokens
    ]
    wanted += [
        (1, 1000 * number + 1000 + place)
        for number, size in enumerate(chats)
        if size <= row_tokens
        for place in range(max(size // 2, 1), size)
    ]
    assert sorted(learnt) == sorted(wanted)


def test_of_a_chat_what_is_learnt_is_learnt() -> None:
    [row] = all_of(rows(part("talk", [6], "chats"), row_tokens=8))
    assert row == {
        "input_ids": [1000, 1001, 1002, 1003, 1004, 1005, PAD, PAD],
        "labels": [IGNORED, IGNORED, IGNORED, 1003, 1004, 1005, IGNORED, IGNORED],
        "position_ids": [0, 1, 2, 3, 4, 5, 0, 1],
        "sources": [0, 0, 0, 0, 0, 0, -1, -1],
    }


def test_a_document_longer_than_a_row_goes_on_in_others() -> None:
    found = all_of(rows(part("prose", [20]), row_tokens=8))
    assert sorted(row["input_ids"][0] for row in found) == [1000, 1008, 1016]
    assert sum(row["sources"].count(0) for row in found) == 20


SIZES = [1 + 7 * number % 15 for number in range(200)]


def test_passes_are_the_same_for_the_same_seed_and_epoch_and_else_others() -> None:
    one, same, other = (rows(part("prose", SIZES), seed=seed) for seed in (7, 7, 8))
    assert all_of(one) == all_of(same) != all_of(other)
    first = all_of(one)
    one.set_epoch(1)
    assert all_of(one) != first
    same.set_epoch(3)
    same.set_epoch(1)
    assert all_of(one) == all_of(same)
    one.set_epoch(0)
    assert all_of(one) == first


def test_shares_are_of_tokens_by_factor() -> None:
    parts = (
        part("prose", SIZES, factor="corpus"),
        part("books", SIZES[:50], factor="corpus"),
        part("eu", SIZES, "chats", factor="eu"),
        part("en", SIZES[:20], "chats", factor="en"),
    )
    found = rows(*parts, weights={"corpus": 0.25, "eu": 0.75, "en": 0.0})
    for epoch in range(3):
        found.set_epoch(epoch)
        tokens = found.tokens_by_source()
        assert tokens["en"] == 0
        assert tokens["eu"] == sum(SIZES)
        assert tokens["prose"] + tokens["books"] == pytest.approx(tokens["eu"] / 3, abs=max(SIZES))


def test_without_shares_everything_comes_once_a_pass() -> None:
    found = rows(part("prose", SIZES), part("eu", SIZES[:50], "chats", factor="eu"))
    for epoch in range(2):
        found.set_epoch(epoch)
        assert found.tokens_by_source() == {"prose": sum(SIZES), "eu": sum(SIZES[:50])}
        assert found.plan.tokens == sum(SIZES) + sum(SIZES[:50])
        assert found.fill == pytest.approx(found.plan.tokens / (16 * len(found)))


@pytest.mark.parametrize("index", [-1, 10**6])
def test_there_is_no_row_outside(index: int) -> None:
    with pytest.raises(IndexError):
        rows(part("prose", [3]))[index]


def test_plans_are_kept_and_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = all_of(rows(part("prose", SIZES, key="a"), keep=tmp_path))
    monkeypatch.setattr(row_set, "plan", None)  # no plan can be made any more
    assert all_of(rows(part("prose", SIZES, key="a"), keep=tmp_path)) == first
    assert [path.name[0] for path in tmp_path.iterdir()] != ["."]


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 8},
        {"row_tokens": 17},
        {"weights": {"corpus": 1.0}},
    ],
)
def test_whatever_decides_a_plan_names_it(change: dict[str, Any], tmp_path: Path) -> None:
    rows(part("prose", SIZES, key="a"), keep=tmp_path)
    rows(part("prose", SIZES, key="a"), keep=tmp_path, **change)
    rows(part("prose", SIZES, key="b"), keep=tmp_path).set_epoch(1)
    assert len(list(tmp_path.iterdir())) == 4


def test_sources_in_memory_leave_no_plan(tmp_path: Path) -> None:
    rows(part("prose", SIZES, key="a"), part("talk", SIZES, "chats"), keep=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_row_set_can_be_sent_to_another_process() -> None:
    found = rows(part("prose", SIZES))
    assert all_of(pickle.loads(pickle.dumps(found))) == all_of(found)
