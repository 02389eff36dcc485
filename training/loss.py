"""The loss of what is learnt: each token's own, so that it can be told by source, and no logits for what is not learnt."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from training.data.tokenise import IGNORED

_CHUNKED_FROM = 1 << 28  # bytes of logits; below, one matrix product is faster than several


class TokenLoss:
    """Takes the place of a causal model's head and loss: hidden states of learnt positions go through the head, others do not.

    A model it is attached to returns, called with ``labels``, the sum of the learnt tokens' losses in nats, and keeps each one's for the moment.

    Parameters
    ----------
    model
        A causal model of transformers, or an adapter around one.

    Notes
    -----
    With most of a chat masked, the head's matrix product and softmax, a fifth of a 1B model's work, shrink to what is learnt. Where even those logits
    are large, ``torch.nn.functional.linear_cross_entropy`` makes them chunk by chunk and once more going back, so that they are never held whole.
    A model whose head is more than a matrix (bias, soft-capped logits) keeps its own head.
    """

    def __init__(self, model: Any) -> None:
        self._base = causal_model(model)
        self._head = self._base.get_output_embeddings()
        self.learnt = torch.empty(0, dtype=torch.long)
        self.losses = torch.empty(0)
        self.is_fused = _is_plain(self._base, self._head)

    def attach(self) -> None:
        if self.is_fused:
            self._head.forward = lambda hidden: hidden
        self._base.loss_function = self

    def detach(self) -> None:
        """Give the model its head and loss back; it can generate again."""
        self._head.__dict__.pop("forward", None)
        self._base.__dict__.pop("_loss_function", None)

    @torch.compiler.disable  # type: ignore[untyped-decorator]  # how many tokens are learnt differs by batch
    def __call__(self, logits: torch.Tensor, labels: torch.Tensor, **rest: Any) -> torch.Tensor:
        """Sum of the losses, in nats.

        Parameters
        ----------
        logits
            Hidden states where the head is fused, ``(rows, length, width)``; else logits, ``(rows, length, vocabulary)``.
        labels
            ``(rows, length)``, not shifted; a row's first label is never learnt.
        """
        targets = labels[:, 1:].reshape(-1)
        self.learnt = targets.ne(IGNORED).nonzero().squeeze(1)
        taken = logits[:, :-1].reshape(-1, logits.shape[-1])[self.learnt]
        losses = self._losses(taken, targets[self.learnt])
        self.losses = losses.detach()
        return losses.sum()

    def by_source(self, sources: torch.Tensor, names: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The last batch's losses and tokens by source.

        Parameters
        ----------
        sources
            ``(rows, length)``: which source each token is of.
        names
            How many sources there are.

        Returns
        -------
        tuple of torch.Tensor
            Sums in nats and counts, both float64 of shape ``(names,)``.
        """
        of = sources[:, 1:].reshape(-1)[self.learnt].clamp(min=0)
        nats = torch.zeros(names, dtype=torch.float64, device=of.device)
        count = torch.zeros_like(nats)
        nats.index_add_(0, of, self.losses.double())
        count.index_add_(0, of, torch.ones_like(self.losses, dtype=torch.float64))
        return nats, count

    def _losses(self, taken: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        if not self.is_fused:
            return functional.cross_entropy(taken.float(), targets, reduction="none")
        weight = self._head.weight
        if len(taken) * len(weight) * 4 < _CHUNKED_FROM:
            return functional.cross_entropy(
                functional.linear(taken, weight).float(), targets, reduction="none"
            )
        kind = taken.device.type  # the chunked operator does not follow autocast by itself
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else taken.dtype
        return functional.linear_cross_entropy(
            taken.to(dtype),
            weight.to(dtype),
            targets,
            reduction="none",
            options=torch.nn.LinearCrossEntropyOptions(),
        ).float()


def causal_model(model: Any) -> Any:
    """The model inside an adapter, or the model itself."""
    inner = getattr(model, "get_base_model", None)
    return inner() if inner else model


def _is_plain(model: Any, head: nn.Module) -> bool:
    capped = getattr(getattr(model, "config", None), "final_logit_softcapping", None)
    return type(head) is nn.Linear and head.bias is None and not capped
