"""Recipes that learn from votes: which there are, and what they cannot ask for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.training.runs import recipe
from training import config
from training.dpo import stage
from training.errors import BadRecipe


def test_preference_recipes_are_none_of_the_embedded_candidates() -> None:
    assert config.embedded() == ["txiki_010", "txiki_011", "txiki_100", "txiki_110"]
    for code in ("txiki_110_dpo", "exp_2_110_dpo"):
        found = config.load(code)
        assert found.preferences is not None
        assert found.backbone is not None
        assert found.backbone.path == f"BASE/{code.removesuffix('_dpo')}"
        assert found.parallel.kind == "ddp"
    assert config.load("exp_2_110").preferences is None


def test_preferences_need_a_model_that_answers_already() -> None:
    with pytest.raises(ValueError, match="a backbone that answers already"):
        recipe("txiki_110", preferences={"path": "DATA/x.jsonl"})


REFUSED: dict[str, dict[str, Any]] = {
    "names no preferences": {"preferences": None},
    "by shares": {"data": {"shares": {"corpus": 0.5, "eu": 0.5}}},
    "is measured on rows": {"cadence": {"evaluations_an_epoch": 1}},
    "adds noise": {"method": {"neftune_alpha": 5}},
    "Liger": {"method": {"liger": True}},
    "compiles": {"method": {"compile": True}},
    "made for packed rows": {"method": {"attention": "varlen"}},
    "shards weights": {"parallel": {"kind": "full"}},
    "several processes": {"batch": {"processes": 2}},
}


@pytest.mark.parametrize(("why", "change"), REFUSED.items(), ids=REFUSED)
def test_what_a_preference_run_cannot_do_is_refused(why: str, change: dict[str, Any]) -> None:
    with pytest.raises(BadRecipe, match=why):
        stage.check(recipe("txiki_110_dpo", **change))


@pytest.mark.parametrize("code", ["txiki_110_dpo", "exp_2_110_dpo"])
def test_preference_recipes_ask_for_nothing_that_is_refused(code: str) -> None:
    stage.check(config.load(code))
