"""Muon and AdamW as one optimizer."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from training.optimizer import Muon, MuonWithAdamW, orthogonal


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(7, 4)
        self.layer = nn.Linear(4, 6)
        self.norm = nn.LayerNorm(6)
        self.frozen = nn.Linear(6, 4)
        self.frozen.requires_grad_(requires_grad=False)
        self.head = nn.Linear(4, 7, bias=False)
        self.head.weight = self.table.weight

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.head(self.frozen(self.norm(self.layer(self.table(ids)))))
        return out


def made(seed: int = 1) -> tuple[Small, MuonWithAdamW]:
    torch.manual_seed(seed)
    model = Small()
    return model, MuonWithAdamW(model, lr=0.01, weight_decay=0.1, betas=(0.9, 0.95))


def train(model: Small, optimizer: MuonWithAdamW, steps: int, start: int = 0) -> None:
    for step in range(start, start + steps):
        torch.manual_seed(100 + step)
        ids = torch.randint(7, (16,))
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(ids), (ids + 1) % 7).backward()
        optimizer.step()


def test_every_trainable_parameter_is_taken_once_and_no_other() -> None:
    model, optimizer = made()
    taken = [id(p) for group in optimizer.param_groups for p in group["params"]]
    assert sorted(taken) == sorted(id(p) for p in model.parameters() if p.requires_grad)
    assert [id(p) for p in optimizer.param_groups[0]["params"]] == [id(model.layer.weight)]
    undecayed = {
        id(p) for group in optimizer.param_groups if not group["weight_decay"] for p in group["params"]
    }
    assert undecayed == {id(model.layer.bias), id(model.norm.weight), id(model.norm.bias)}


def test_it_learns_where_a_learning_rate_of_nought_changes_nothing() -> None:
    model, optimizer = made()
    ids = torch.arange(7)
    before = nn.functional.cross_entropy(model(ids), (ids + 1) % 7).item()
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.0)
    still = copy.deepcopy(model.state_dict())
    train(model, optimizer, 3)
    assert all(torch.equal(value, still[name]) for name, value in model.state_dict().items())
    scheduler.lr_lambdas = [lambda step: 1.0 for _ in optimizer.param_groups]
    scheduler.step()
    train(model, optimizer, 150)
    assert nn.functional.cross_entropy(model(ids), (ids + 1) % 7).item() < before / 2


def test_muons_update_is_nearly_orthogonal() -> None:
    model, optimizer = made()
    before = model.layer.weight.detach().clone()
    train(model, optimizer, 1)
    update = (model.layer.weight.detach() - before * (1 - 0.01 * 0.1)) / 0.01
    singular = torch.linalg.svdvals(update)  # all near 0.2 * sqrt(6), whatever the gradient was
    assert singular.max() / singular.min() < 2
    assert singular.mean().item() == pytest.approx(0.2 * 6**0.5, rel=0.4)


@pytest.mark.parametrize("shape", [(4, 6), (6, 4), (5, 5)])
def test_muon_moves_as_pytorchs_does_up_to_the_rounding_of_bfloat16(shape: tuple[int, int]) -> None:
    torch.manual_seed(3)
    start, gradients = torch.randn(shape), [torch.randn(shape) for _ in range(4)]
    ends = []
    for kind in (Muon, torch.optim.Muon):
        weights = nn.Parameter(start.clone())
        optimizer = kind([weights], lr=0.1, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
        for gradient in gradients:
            weights.grad = gradient.clone()
            optimizer.step()
        ends.append(weights.detach() - start)
    assert torch.linalg.norm(ends[0] - ends[1]) < 0.05 * torch.linalg.norm(ends[1])


def test_on_a_cpu_nothing_is_rounded_to_half_precision() -> None:
    update = torch.randn(4, 6, dtype=torch.float64)
    found = orthogonal(update, (2.0, -1.5, 0.5), 30, 1e-7)
    assert torch.allclose(found @ found.T, torch.eye(4), atol=1e-5)
    assert found.dtype is torch.float32


def test_a_checkpoint_goes_on_bit_equal() -> None:
    model, optimizer = made()
    train(model, optimizer, 5)
    weights, state = copy.deepcopy(model.state_dict()), copy.deepcopy(optimizer.state_dict())
    train(model, optimizer, 5, start=5)
    again, fresh = made(seed=2)
    again.load_state_dict(weights)
    fresh.load_state_dict(state)
    train(again, fresh, 5, start=5)
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in model.state_dict().items())


def test_a_closure_is_called_once_and_its_loss_returned() -> None:
    _, optimizer = made()
    calls: list[int] = []

    def closure() -> float:
        calls.append(1)
        return 2.5

    assert optimizer.step(closure) == 2.5
    assert calls == [1]
