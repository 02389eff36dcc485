"""Plans on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.data import plans
from training.data.pack import Plan, plan


def made(seed: int = 0) -> Plan:
    return plan(np.arange(50), np.arange(1, 51, dtype=np.int32), row_tokens=64, seed=(seed,))


def same(one: Plan, other: Plan) -> bool:
    parts = ("ends", "segments", "starts", "lengths")
    return all(np.array_equal(getattr(one, part), getattr(other, part)) for part in parts)


def never() -> Plan:
    raise AssertionError("it is there already")


def test_a_plan_is_made_once_and_mapped(tmp_path: Path) -> None:
    first = plans.kept(tmp_path / "plans", "a", made)
    again = plans.kept(tmp_path / "plans", "a", never)
    assert same(first, made())
    assert same(again, first)
    assert isinstance(again.segments, np.memmap)
    assert again.segments.dtype == np.int64
    assert again.lengths.dtype == np.int32


def test_of_two_that_make_it_at_once_the_first_stays(tmp_path: Path) -> None:
    def beaten() -> Plan:
        plans.kept(tmp_path, "a", made)
        return made(seed=1)

    assert same(plans.kept(tmp_path, "a", beaten), made())
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_plan_that_cannot_be_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*of: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(OSError, match="no space left"):
        plans.kept(tmp_path, "a", made)
    assert not list(tmp_path.iterdir())


def test_keys_follow_what_decides() -> None:
    assert plans.key_of({"seed": 1, "epoch": 2}) == plans.key_of({"epoch": 2, "seed": 1})
    assert plans.key_of({"seed": 1}) != plans.key_of({"seed": 2})
    assert len(plans.key_of([])) == 16
