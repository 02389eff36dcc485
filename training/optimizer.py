"""Muon for the matrices of the layers, AdamW for everything else, as one optimizer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


def orthogonal(
    update: Tensor, coefficients: tuple[float, float, float], steps: int, epsilon: float
) -> Tensor:
    """The matrix with the same singular vectors and singular values near one, by Newton and Schulz's iteration (Jordan et al., 2024).

    Parameters
    ----------
    update
        Of shape (rows, columns); it stays as it is.
    coefficients
        Of the odd polynomial of fifth degree that each step applies to the singular values.
    epsilon
        The least norm that is divided by.

    Returns
    -------
    Tensor
        Of *update*'s shape, in float32; on a GPU in bfloat16. PyTorch's own iteration is in bfloat16 everywhere, and a CPU without instructions for it
        computes that fifty times slower than float32.
    """
    found = update.to(torch.bfloat16 if update.is_cuda else torch.float32)
    is_tall = update.shape[0] > update.shape[1]
    found = found.T if is_tall else found
    found = found / found.norm().clamp(min=epsilon)
    a, b, c = coefficients
    for _ in range(steps):
        gram = found @ found.T
        found = torch.addmm(found, torch.addmm(gram, gram, gram, beta=b, alpha=c), found, beta=a)
    return found.T if is_tall else found


class Muon(torch.optim.Muon):
    """PyTorch's, in the precision that the device computes fast; of its adjustments of the learning rate only ``match_rms_adamw``."""

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]  # closures are the whole optimizer's
        for group in self.param_groups:
            for weights in group["params"]:
                if weights.grad is not None:
                    self._move(weights, weights.grad, group)

    def _move(self, weights: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[weights]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(gradient)
        held = state["momentum_buffer"].lerp_(gradient, 1 - group["momentum"])
        update = orthogonal(
            gradient.lerp(held, group["momentum"]), group["ns_coefficients"], group["ns_steps"], group["eps"]
        )
        weights.mul_(1 - group["lr"] * group["weight_decay"])
        weights.add_(update, alpha=-group["lr"] * 0.2 * max(weights.shape) ** 0.5)


class MuonWithAdamW(torch.optim.Optimizer):
    """One optimizer to schedulers, checkpoints and the trainer; two inside.

    Matrices inside the layers take Muon's orthogonalised momentum (Jordan et al., 2024), scaled to the size of AdamW's updates (Liu et al., 2025,
    arXiv:2502.16982), so that one learning rate serves both. Embeddings and norms take AdamW.

    Parameters
    ----------
    model
        Its trainable parameters are taken, each once. Tied weights count as embeddings.
    lr, weight_decay, betas, epsilon
        As in AdamW; norms and biases do not decay.
    momentum
        Of Muon.

    Notes
    -----
    On the small candidates, which learn many rare facts in few steps, this beats AdamW alone by far: see ``docs/decisions/0005-muon.md``.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        lr: float,
        weight_decay: float,
        betas: tuple[float, float],
        epsilon: float = 1e-8,
        momentum: float = 0.95,
    ) -> None:
        embeddings = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
        trained = [p for p in model.parameters() if p.requires_grad]
        matrices = [p for p in trained if p.ndim == 2 and id(p) not in embeddings]
        tables = [p for p in trained if id(p) in embeddings]
        vectors = [p for p in trained if p.ndim != 2 and id(p) not in embeddings]
        rest: list[dict[str, Any]] = [{"params": tables}, {"params": vectors, "weight_decay": 0.0}]
        self._muon = Muon(
            matrices, lr=lr, weight_decay=weight_decay, momentum=momentum, adjust_lr_fn="match_rms_adamw"
        )
        self._adamw = torch.optim.AdamW(
            [group for group in rest if group["params"]],
            lr=lr,
            weight_decay=weight_decay,
            betas=betas,
            eps=epsilon,
        )
        super().__init__([*self._muon.param_groups, *self._adamw.param_groups], {})
        self._share()

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]  # torch overloads it
        loss = closure() if closure else None
        self._muon.step()
        self._adamw.step()
        return loss

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self._share()

    def _share(self) -> None:
        """The parts work on this optimizer's own groups and state, so that a schedule or a checkpoint reaches both."""
        self._muon.param_groups = self.param_groups[:1]
        self._adamw.param_groups = self.param_groups[1:]
        self._muon.state = self._adamw.state = self.state
