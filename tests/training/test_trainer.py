"""Steps of our trainer: what they are of, and that documents of a row stay apart."""

from __future__ import annotations

import itertools
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training import tiny
from training.errors import BadData
from training.trainer import packed

Batch = dict[str, torch.Tensor]
SGD = ("optimizer.name=adamw", "optimizer.clip=1000", "schedule.warmup=0")


def tensors(rows: tiny.FakeRows, count: int) -> Batch:
    return {name: torch.tensor([rows[i][name] for i in range(count)]) for name in rows[0]}


def gradient(tmp_path: Path, *changes: str) -> dict[str, torch.Tensor]:
    """The gradient of the first step."""
    made = tiny.trainer(tiny.recipe("schedule.steps=1", *SGD, *changes), tmp_path)
    found: dict[str, torch.Tensor] = {}

    class Keep(tiny.TrainerCallback):
        def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            found.update((n, p.grad.clone()) for n, p in kwargs["model"].named_parameters())

    made.add_callback(Keep())
    tiny.fit(made)
    return found


def test_one_batch_of_eight_rows_is_four_of_two(tmp_path: Path) -> None:
    one = gradient(tmp_path, "batch.rows=8", "batch.accumulation=1")
    four = gradient(tmp_path, "batch.rows=2", "batch.accumulation=4")
    eight = gradient(tmp_path, "batch.rows=1", "batch.accumulation=8")
    for name, value in one.items():
        scale = value.abs().max()
        assert torch.allclose(value, four[name], atol=1e-5 * float(scale)), name
        assert torch.allclose(value, eight[name], atol=1e-5 * float(scale)), name
    unlike = gradient(tmp_path, "batch.rows=4", "batch.accumulation=1")
    assert any(not torch.allclose(value, unlike[name], rtol=0.01) for name, value in one.items())


def test_after_some_steps_the_weights_are_equal_too(tmp_path: Path) -> None:
    changes = ("schedule.steps=3", *SGD)
    one = tiny.fit(tiny.trainer(tiny.recipe("batch.rows=8", *changes), tmp_path))
    four = tiny.fit(tiny.trainer(tiny.recipe("batch.rows=2", "batch.accumulation=4", *changes), tmp_path))
    assert all(torch.allclose(value, four[name], atol=2e-5) for name, value in one.items())


def test_a_step_is_normalised_by_learnt_tokens_not_by_rows(tmp_path: Path) -> None:
    lines: list[dict[str, Any]] = []
    rows = tiny.FakeRows()
    recipe = tiny.recipe("schedule.steps=1", "batch.rows=2", "batch.accumulation=2")
    made = tiny.trainer(recipe, tmp_path, rows=rows, lines=lines)
    before = tiny.model(recipe)
    tiny.fit(made)
    batch = tensors(rows, 4)
    sources = batch.pop("sources")
    logits = before(**batch, use_cache=False).logits[:, :-1].transpose(1, 2)
    labels = batch["labels"][:, 1:]
    losses = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
    learnt = labels.ne(-100)
    [line] = lines
    assert line["loss"] == pytest.approx((losses.sum() / learnt.sum()).item(), rel=1e-5)
    for number, name in enumerate(rows.source_names):
        own = sources[:, 1:].eq(number) & learnt
        assert line["loss_by_source"][name] == pytest.approx(losses[own].mean().item(), rel=1e-5)
    assert line["tokens"] == learnt.sum()
    assert line["tokens_seen"] == 4 * (rows.length - rows.padded)


def test_rows_come_in_order_pass_after_pass(tmp_path: Path) -> None:
    rows = tiny.FakeRows(count=5)
    tiny.fit(tiny.trainer(tiny.recipe("schedule.steps=4", "batch.rows=2"), tmp_path, rows=rows))
    seen = list(dict.fromkeys(rows.read))
    assert seen == [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (1, 0), (1, 1), (1, 2)]


def test_epochs_take_every_row_and_the_last_step_is_whole(tmp_path: Path) -> None:
    rows, lines = tiny.FakeRows(count=5), list[dict[str, Any]]()
    made = tiny.trainer(tiny.recipe("schedule.epochs=2", "batch.rows=4"), tmp_path, rows=rows, lines=lines)
    assert made.steps == 3
    tiny.fit(made)
    assert set(rows.read) == {(e, i) for e in (0, 1) for i in range(5)} | {(2, 0), (2, 1)}
    assert lines[-1]["tokens_seen"] == 12 * 61


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_documents_of_a_row_do_not_see_each_other(tmp_path: Path, attention: str) -> None:
    rows = tiny.FakeRows(padded=0)
    recipe = tiny.recipe(f"method.attention={attention}")
    made = tiny.trainer(recipe, tmp_path, rows=rows)
    batch = tensors(rows, 1)
    other = {name: each.clone() for name, each in batch.items()}
    second = int(batch["position_ids"][0, 1:].eq(0).nonzero()[0]) + 1
    other["input_ids"][0, :second] = 11  # another first document
    with made.equipped():
        tiny.inner(made).train()
        losses = []
        for each in (batch, other):
            made._summed_losses(tiny.inner(made), each)
            learnt = made._token_loss.learnt
            losses.append(made._token_loss.losses[learnt >= second])
    assert len(losses[0]) > 10
    assert torch.equal(*losses)


def test_a_row_with_a_mask_is_refused() -> None:
    batch = tensors(tiny.FakeRows(), 1)
    with pytest.raises(BadData, match="leaks"):
        packed(batch | {"attention_mask": torch.ones(1, 64)}, flat=False)


@settings(max_examples=20)
@given(st.integers(1, 4))
def test_for_flash_attention_rows_lie_end_to_end(count: int) -> None:
    batch = tensors(tiny.FakeRows(), count)
    flat = packed(batch, flat=True)
    edges = flat["cu_seq_lens_q"].tolist()
    assert {flat[name].shape for name in batch} == {(1, count * 64)}
    assert edges[0] == 0
    assert edges[-1] == count * 64
    assert set(edges[:-1]) == set(flat["position_ids"][0].eq(0).nonzero().squeeze(1).tolist())
    assert flat["max_length_q"] == max(b - a for a, b in itertools.pairwise(edges))
    assert torch.equal(flat["input_ids"].view(count, 64), batch["input_ids"])
    assert flat["labels"].view(count, 64)[:, 0].eq(-100).all()
    assert flat["labels"].ne(-100).sum() == batch["labels"].ne(-100).sum()


def test_end_to_end_rows_have_the_same_loss(tmp_path: Path) -> None:
    made = tiny.trainer(tiny.recipe(), tmp_path)
    batch = tensors(tiny.FakeRows(), 3)
    with made.equipped(), torch.no_grad():
        apart = made._summed_losses(tiny.inner(made), batch)[0]
        made._is_flat = True
        assert made._summed_losses(tiny.inner(made), batch)[0].item() == pytest.approx(apart.item(), rel=1e-6)


def test_gradient_checkpointing_changes_nothing(tmp_path: Path) -> None:
    plain = tiny.fit(tiny.trainer(tiny.recipe(), tmp_path))
    made = tiny.trainer(tiny.recipe("method.gradient_checkpointing=true"), tmp_path)
    assert tiny.same(tiny.fit(made), plain)
    assert tiny.inner(made).is_activation_checkpointing


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # torch warns of itself while it compiles
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch compiles for a CPU by g++")
def test_a_compiled_model_learns_the_same(tmp_path: Path) -> None:
    recipe = tiny.recipe("optimizer.name=adamw", "cadence.evaluations_an_epoch=1")
    held = {"held": tiny.FakeRows(count=3, seed=9)}
    plain = tiny.fit(tiny.trainer(recipe, tmp_path, evaluation=held))
    changed = recipe.model_copy(update={"method": recipe.method.model_copy(update={"compile": True})})
    made = tiny.trainer(changed, tmp_path, evaluation=held)
    found = tiny.fit(made)
    assert type(made.model_wrapped).__name__ == "OptimizedModule"
    assert found.keys() == plain.keys()
    assert all(torch.allclose(value, plain[name], atol=1e-5) for name, value in found.items())


def test_bf16_is_autocast_over_weights_of_float32(tmp_path: Path) -> None:
    lines: list[dict[str, Any]] = []
    made = tiny.trainer(tiny.recipe("method.precision=bf16"), tmp_path, lines=lines)
    seen: set[torch.dtype] = set()
    tiny.inner(made).model.layers[0].mlp.register_forward_hook(lambda m, i, out: seen.add(out.dtype))
    weights = tiny.fit(made)
    assert seen == {torch.bfloat16}
    assert {each.dtype for each in weights.values()} == {torch.float32}
    assert all(math.isfinite(line["loss"]) for line in lines)


def test_the_line_of_a_step_has_what_the_contract_names(tmp_path: Path) -> None:
    lines: list[dict[str, Any]] = []
    tiny.fit(tiny.trainer(tiny.recipe("schedule.steps=2"), tmp_path, lines=lines))
    names = (
        "step loss loss_by_source learning_rate tokens tokens_seen tokens_per_s mfu gradient_norm memory_mb"
    )
    assert [set(line) for line in lines] == [set(names.split())] * 2
    assert [line["step"] for line in lines] == [1, 2]
    assert lines[0]["mfu"] is None  # no peak is known of a CPU
    assert lines[0]["tokens"] < lines[1]["tokens"]
    assert all(line["tokens_per_s"] > 0 and line["gradient_norm"] > 0 for line in lines)


def test_several_steps_a_log_are_summed(tmp_path: Path) -> None:
    each, both = list[dict[str, Any]](), list[dict[str, Any]]()
    tiny.fit(tiny.trainer(tiny.recipe("schedule.steps=4"), tmp_path, lines=each))
    tiny.fit(tiny.trainer(tiny.recipe("schedule.steps=4", "cadence.steps_a_log=2"), tmp_path, lines=both))
    assert [line["step"] for line in both] == [2, 4]
    counts = [b["tokens"] - a["tokens"] for a, b in zip([{"tokens": 0}, *each], each, strict=False)]
    mean = (each[0]["loss"] * counts[0] + each[1]["loss"] * counts[1]) / (counts[0] + counts[1])
    assert both[0]["loss"] == pytest.approx(mean, rel=1e-4)


def test_the_sets_are_measured_whole_and_without_noise(tmp_path: Path) -> None:
    lines: list[dict[str, Any]] = []
    held = tiny.FakeRows(count=5, seed=9)
    recipe = tiny.recipe("schedule.steps=6", "cadence.evaluations_an_epoch=2", "method.neftune_alpha=5")
    made = tiny.trainer(recipe, tmp_path, evaluation={"held": held}, lines=lines)
    tiny.fit(made)
    measured = [line for line in lines if "evaluation" in line]
    assert [line["step"] for line in measured] == [3, 6]
    batch = tensors(held, 5)
    batch.pop("sources")
    with torch.no_grad():
        logits = tiny.inner(made).eval()(**batch, use_cache=False).logits[:, :-1].transpose(1, 2)
    labels = batch["labels"][:, 1:]
    nats = torch.nn.functional.cross_entropy(logits, labels, reduction="sum").item()
    found = measured[-1]["evaluation"]["held"]
    assert found["loss"] == pytest.approx(nats / labels.ne(-100).sum().item(), rel=1e-5)
    names = tiny.tokenizer().convert_ids_to_tokens(labels[labels.ne(-100)].tolist())
    assert found["bits_per_byte"] == pytest.approx(nats / math.log(2) / sum(map(len, names)), rel=1e-5)
