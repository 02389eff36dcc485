"""NEFTune: uniform noise on the embeddings while training, of a scale that is written down and tested."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

Length = Literal["document", "row", "batch"]


def document_lengths(position_ids: torch.Tensor) -> torch.Tensor:
    """How long the document of each token is.

    Parameters
    ----------
    position_ids
        Of shape ``(rows, length)``, restarting at 0 with each document.

    Returns
    -------
    torch.Tensor
        Tokens, of the same shape; padding that restarts at 0 counts as a document.
    """
    starts = position_ids.eq(0)
    starts[:, 0] = True
    document = starts.flatten().cumsum(0) - 1
    return document.bincount()[document].view_as(position_ids)


def noise_scale(alpha: float, lengths: torch.Tensor | int, width: int) -> torch.Tensor:
    """Half the width of the noise, ``alpha / sqrt(L * d)``: of NEFTune (Jain et al., 2024, arXiv:2310.05914), section 2.

    Parameters
    ----------
    alpha
        The recipe's ``neftune_alpha``.
    lengths
        ``L``, tokens.
    width
        ``d``, the embedding's dimensions.
    """
    return alpha / torch.sqrt(torch.as_tensor(lengths) * float(width))


class Neftune:
    """Adds the noise behind a model's embedding while the model trains, and nothing while it is measured.

    Parameters
    ----------
    alpha
        Of :func:`noise_scale`.
    length
        What ``L`` is for packed rows. ``document``: of the token's own document, as in the paper, so that the noise does not depend on what else
        lies in the row. ``row``: of the whole row, as libraries have it that pack rows side by side. ``batch``: of all rows that a process computes at
        once, as libraries have it that lay them end to end for flash attention; the study ran so, with two rows of 8,192 tokens, where a chat of 512
        gets 0.18 of the paper's noise.
    row, rows
        Tokens of a row; rows that are computed at once.

    Notes
    -----
    The sum over a document of the squared noise has the expectation ``alpha^2 / 3``, however long the document is. Noise is drawn from torch's own
    generator, whose state is in every checkpoint.
    """

    def __init__(self, alpha: float, length: Length, *, row: int, rows: int) -> None:
        self._alpha = alpha
        self._whole = {"document": None, "row": row, "batch": row * rows}[length]
        self._lengths: torch.Tensor | None = None
        self._hooks: list[RemovableHandle] = []

    def attach(self, model: Any) -> None:
        """Hook the model, which must be called with ``position_ids`` by name."""
        table: nn.Module = model.get_input_embeddings()
        self._hooks = [
            model.register_forward_pre_hook(self._remember, with_kwargs=True),
            table.register_forward_hook(self._add),
        ]

    def detach(self) -> None:
        """Take the hooks away."""
        for hook in self._hooks:
            hook.remove()

    def _remember(self, model: nn.Module, args: Any, kwargs: dict[str, Any]) -> None:
        if model.training:
            positions: torch.Tensor = kwargs["position_ids"]
            whole = self._whole
            self._lengths = (
                document_lengths(positions) if whole is None else torch.full_like(positions, whole)
            )

    def _add(self, embedding: nn.Module, args: Any, out: torch.Tensor) -> torch.Tensor:
        if not embedding.training or self._lengths is None:
            return out
        scale = noise_scale(self._alpha, self._lengths, out.shape[-1])
        noise = torch.rand_like(out).mul_(2).sub_(1)
        return out + noise * scale.to(out.dtype).unsqueeze(-1)
