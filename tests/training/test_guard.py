"""A run stops before a loss or a gradient that is no number reaches the weights."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training import tiny
from training import checkpoints, guard
from training.errors import NotFinite, RunFailed


def test_a_finite_norm_passes() -> None:
    guard.check(1.5, step=3, first_row=0, rows=8, losses=[1.0])


@pytest.mark.parametrize("norm", [math.nan, math.inf])
def test_the_error_names_step_rows_and_batch(norm: float) -> None:
    losses = [torch.tensor(2.0), torch.tensor(math.nan), torch.tensor(math.nan)]
    with pytest.raises(NotFinite, match=r"^step 41: .* batch 2 of 3 here is nan; .* rows 320 to 327 "):
        guard.check(norm, step=41, first_row=320, rows=8, losses=losses)
    with pytest.raises(RunFailed, match="the losses here are finite"):
        guard.check(norm, step=1, first_row=0, rows=8, losses=[1.0])


def test_a_norm_over_shards_is_made_whole() -> None:
    class Sharded:
        def full_tensor(self) -> torch.Tensor:
            return torch.tensor(2.5)

    sharded: Any = Sharded()
    assert guard.number_of(sharded) == 2.5
    assert guard.number_of(torch.tensor(0.5)) == 0.5
    assert guard.number_of(0.25) == 0.25


class Poison(tiny.TrainerCallback):
    """Makes a weight no number before a step's forward pass, or its gradient after it."""

    def __init__(self, step: int, *, gradient: bool) -> None:
        self.step, self.gradient = step, gradient
        self.before: dict[str, torch.Tensor] = {}

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == self.step and self.gradient:
            kwargs["model"].model.norm.weight.register_hook(lambda g: g * math.nan)
        elif state.global_step == self.step:
            with torch.no_grad():
                kwargs["model"].model.norm.weight[0] = math.nan
        state_dict = kwargs["model"].state_dict()
        self.before = {name: each.clone() for name, each in state_dict.items()}


@pytest.mark.parametrize("gradient", [True, False], ids=["gradient", "loss"])
def test_the_step_is_not_taken_and_the_last_checkpoint_stays(tmp_path: Path, gradient: bool) -> None:
    poison = Poison(3, gradient=gradient)
    recipe = tiny.recipe("schedule.steps=6", "cadence.saves_an_epoch=3", "batch.rows=2")
    made = tiny.trainer(recipe, tmp_path, callbacks=[poison], rows=tiny.FakeRows(count=12))
    with pytest.raises(NotFinite, match=r"step 4: .* rows 6 to 7"):
        tiny.fit(made)
    assert [path.name for path in checkpoints.all_of(tmp_path)] == ["checkpoint-2"]
    after = tiny.inner(made).state_dict()
    name = "model.layers.0.mlp.up_proj.weight"
    assert torch.equal(after[name], poison.before[name])
