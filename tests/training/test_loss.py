"""The loss of what is learnt, and that it is the model's own."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn

from tests.training import tiny
from training import loss
from training.loss import TokenLoss, causal_model


def batch(count: int = 2, seed: int = 3) -> dict[str, torch.Tensor]:
    rows = tiny.FakeRows(count=count, seed=seed)
    return {name: torch.tensor([rows[i][name] for i in range(count)]) for name in rows[0]}


def called(model: Any, inputs: dict[str, torch.Tensor]) -> Any:
    return model(**{name: each for name, each in inputs.items() if name != "sources"}, use_cache=False)


def gradients(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: each.grad.clone() for name, each in model.named_parameters() if each.grad is not None}


def test_loss_and_gradients_are_those_of_the_models_own_head() -> None:
    ours = tiny.model(tiny.recipe())
    theirs, inputs = copy.deepcopy(ours), batch()
    learnt = int(inputs["labels"][:, 1:].ne(-100).sum())
    wanted = called(theirs, inputs).loss * learnt  # its own is the mean
    wanted.backward()
    TokenLoss(ours).attach()
    found = called(ours, inputs).loss
    found.backward()
    assert found.item() == pytest.approx(wanted.item(), rel=1e-6)
    for name, value in gradients(theirs).items():
        assert torch.allclose(gradients(ours)[name], value, atol=1e-5), name


def test_large_logits_are_made_in_chunks_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    model, inputs = tiny.model(tiny.recipe()), batch()
    TokenLoss(model).attach()
    called(model, inputs).loss.backward()
    wanted = gradients(model)
    model.zero_grad()
    monkeypatch.setattr(loss, "_CHUNKED_FROM", 0)
    seen: list[Any] = []
    chunked = nn.functional.linear_cross_entropy

    def watched(*args: Any, **how: Any) -> torch.Tensor:
        seen.append(how)
        return chunked(*args, **how)

    monkeypatch.setattr(nn.functional, "linear_cross_entropy", watched)
    called(model, inputs).loss.backward()
    assert [each["reduction"] for each in seen] == ["none"]
    for name, value in gradients(model).items():
        assert torch.allclose(wanted[name], value, atol=1e-5), name


def test_chunks_compute_as_autocast_says(monkeypatch: pytest.MonkeyPatch) -> None:
    model, inputs = tiny.model(tiny.recipe()), batch()
    tokens = TokenLoss(model)
    tokens.attach()
    exact = called(model, inputs).loss.item()
    monkeypatch.setattr(loss, "_CHUNKED_FROM", 0)
    with torch.autocast("cpu", torch.bfloat16):
        rough = called(model, inputs).loss
    assert rough.dtype == tokens.losses.dtype == torch.float32
    assert rough.item() == pytest.approx(exact, rel=0.02)
    assert rough.item() != exact


def test_each_tokens_loss_is_told_by_its_source() -> None:
    model, inputs = tiny.model(tiny.recipe()), batch()
    with torch.no_grad():
        logits = called(model, inputs).logits
    tokens = TokenLoss(model)
    tokens.attach()
    called(model, inputs)
    nats, count = tokens.by_source(inputs["sources"], 3)
    own = nn.functional.cross_entropy(
        logits[:, :-1].transpose(1, 2), inputs["labels"][:, 1:], reduction="none", ignore_index=-100
    )
    for source in range(2):
        mask = inputs["sources"][:, 1:].eq(source) & inputs["labels"][:, 1:].ne(-100)
        assert nats[source].item() == pytest.approx(own[mask].sum().item(), rel=1e-5)
        assert count[source].item() == mask.sum().item() > 0
    assert nats[2].item() == count[2].item() == 0


def test_the_head_sees_learnt_positions_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    model, inputs = tiny.model(tiny.recipe()), batch()
    TokenLoss(model).attach()
    seen: list[int] = []
    linear = nn.functional.linear

    def watched(x: torch.Tensor, weight: torch.Tensor, *rest: Any) -> torch.Tensor:
        if len(weight) == 300:
            seen.append(len(x))
        return linear(x, weight, *rest)

    monkeypatch.setattr(nn.functional, "linear", watched)
    called(model, inputs)
    assert seen == [int(inputs["labels"].ne(-100).sum())]
    assert seen[0] < inputs["labels"].numel() * 0.8


def test_a_batch_in_which_nothing_is_learnt_has_no_loss_and_no_gradient() -> None:
    model, inputs = tiny.model(tiny.recipe()), batch()
    inputs["labels"].fill_(-100)
    TokenLoss(model).attach()
    found = called(model, inputs).loss
    found.backward()
    assert found.item() == 0
    assert all(not each.any() for each in gradients(model).values())


def test_a_model_gets_its_head_and_loss_back() -> None:
    model, inputs = tiny.model(tiny.recipe()), batch()
    before = called(model, inputs)
    tokens = TokenLoss(model)
    tokens.attach()
    tokens.detach()
    after = called(model, inputs)
    assert torch.equal(before.logits, after.logits)
    assert torch.equal(before.loss, after.loss)


def test_a_head_that_is_more_than_a_matrix_is_kept() -> None:
    for change in ("bias", "cap"):
        model, inputs = tiny.model(tiny.recipe()), batch()
        if change == "bias":
            model.lm_head.bias = nn.Parameter(torch.ones(300))
        else:
            model.config.final_logit_softcapping = 30.0
        learnt = int(inputs["labels"][:, 1:].ne(-100).sum())
        wanted = called(model, inputs).loss.item() * learnt
        tokens = TokenLoss(model)
        assert not tokens.is_fused
        tokens.attach()
        found = called(model, inputs)
        assert found.loss.item() == pytest.approx(wanted, rel=1e-6)
        assert found.logits.shape[-1] == 300


def test_behind_adapters_it_reaches_the_model_inside() -> None:
    plain = tiny.model(tiny.recipe())
    adapted = get_peft_model(plain, LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM"))
    assert causal_model(adapted) is plain
    assert causal_model(plain) is plain
    tokens = TokenLoss(adapted)
    tokens.attach()
    found = called(adapted, batch()).loss
    assert found.item() == pytest.approx(tokens.losses.sum().item())
    found.backward()
    assert any(each.any() for each in gradients(adapted).values())
