"""Recipes by file, and values set from outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from training import config
from training.errors import BadRecipe


def test_a_code_alone_is_the_recipe() -> None:
    assert config.resolved("exp_0_110") == config.load("exp_0_110")


def test_a_file_is_read_where_it_lies(tmp_path: Path) -> None:
    path = tmp_path / "own_010.yaml"
    path.write_text("extends: txiki_010.yaml\nschedule: {steps: 9}\n")
    recipe = config.resolved(str(path))
    assert (recipe.code, recipe.schedule.steps) == ("own_010", 9)
    assert config.load_file(path) == recipe


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("batch.rows=7", lambda r: r.batch.rows == 7),
        ("optimizer.learning_rate=2.0e-4", lambda r: r.optimizer.learning_rate == 2e-4),
        ("name=Bestea", lambda r: r.name == "Bestea"),
        ("method.neftune_alpha=null", lambda r: r.method.neftune_alpha is None),
        ("method.compile=true", lambda r: r.method.compile),
        (
            "method.lora={rank: 4, alpha: 8, dropout: 0, matrices: [q_proj]}",
            lambda r: r.method.lora.matrices == ("q_proj",),
        ),
        ("schedule.steps=5", lambda r: (r.schedule.steps, r.schedule.epochs) == (5, None)),
        ("schedule.seconds=120", lambda r: (r.schedule.seconds, r.schedule.epochs) == (120, None)),
        ("parallel.kind=ddp", lambda r: (r.parallel.kind, r.parallel.shard, r.parallel.copies) == ("ddp", None, None)),
    ],
)  # fmt: skip
def test_a_value_is_set_by_its_key(change: str, found) -> None:  # type: ignore[no-untyped-def]
    assert found(config.resolved("exp_0_110", [change]))


def test_later_changes_win_and_groups_can_be_set_with_the_kind() -> None:
    recipe = config.resolved("exp_0_110", ["batch.rows=7", "batch.rows=8"])
    assert recipe.batch.rows == 8
    groups = ["parallel.kind=hybrid", "parallel.shard=8", "parallel.copies=2"]
    assert config.resolved("exp_0_110", groups).parallel.shard == 8


def test_a_text_may_hold_the_sign() -> None:
    assert config.resolved("txiki_110", ["description=a=b"]).description == "a=b"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("batch.rows", "not of the form key=value"),
        ("=4", "not of the form key=value"),
        ("batch..rows=4", "not of the form key=value"),
        ("batch.row=4", r"batch\.row: Extra inputs"),
        ("batch.rows=many", r"batch\.rows: Input should be a valid integer"),
        ("batch.rows=0", r"batch\.rows: .* greater than or equal to 1"),
        ("batch.rows={", "batch.rows={"),
        ("parallel.shard=8", None),
        ("parallel.copies=null", "belong to kind: hybrid"),
    ],
)
def test_what_does_not_hold_together_is_refused_by_name(change: str, said: str | None) -> None:
    if said is None:
        assert config.resolved("exp_0_110", [change]).parallel.shard == 8
        return
    with pytest.raises(BadRecipe, match=said):
        config.resolved("exp_0_110", [change])


def test_an_unknown_code_names_the_known_ones() -> None:
    with pytest.raises(BadRecipe, match=r"no recipe is called 'txiki_999'; there are exp_0_010, "):
        config.resolved("txiki_999")


def test_a_file_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadRecipe, match=r"own_010\.yaml"):
        config.resolved(str(tmp_path / "own_010.yaml"))
