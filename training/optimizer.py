"""Muon for the matrices of the layers, AdamW for everything else, as one optimizer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn


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
        self._muon = torch.optim.Muon(
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
