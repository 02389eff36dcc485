"""``attention: varlen``: flash attention over documents of different lengths, from torch's own kernels, without a package that must be compiled."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

NAME = "varlen"
FLAT = (NAME, "flash_attention_2")
"""The ways of attending that take all rows end to end and tell documents apart by where they begin."""


def boundaries(position_ids: torch.Tensor) -> dict[str, Any]:
    """Where the documents of rows that lie end to end begin, by the names that transformers gives its attention functions.

    Parameters
    ----------
    position_ids
        Of shape ``(1, tokens)``, restarting at 0 with each document.

    Returns
    -------
    dict
        ``cu_seq_lens_q`` and ``cu_seq_lens_k``, int32 of shape ``(documents + 1,)``; ``max_length_q`` and ``max_length_k``, tokens. Read once a batch: each
        layer would otherwise find them out by itself and wait for the device.
    """
    starts = position_ids[0].eq(0).nonzero().squeeze(1)
    end = starts.new_tensor([position_ids.shape[1]])
    edges = torch.cat([starts.new_zeros(1), starts[starts > 0], end]).to(torch.int32)
    longest = int(edges.diff().max())
    return {"cu_seq_lens_q": edges, "cu_seq_lens_k": edges, "max_length_q": longest, "max_length_k": longest}


def attend(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    cu_seq_lens_q: torch.Tensor,
    max_length_q: int,
    scaling: float | None = None,
    **rest: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention inside each document.

    Parameters
    ----------
    query, key, value
        Of shape ``(1, heads, tokens, width)``; keys and values may have fewer heads.
    cu_seq_lens_q, max_length_q
        Of :func:`boundaries`.

    Returns
    -------
    tuple
        ``(1, tokens, heads, width)``, and no weights.

    Notes
    -----
    :func:`torch.nn.attention.varlen.varlen_attn`, on a GPU, in half precision: rotary embeddings leave float32 behind under autocast, which is taken back.
    """
    from torch.nn.attention import varlen

    kind = query.device.type
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else value.dtype
    queries, keys, values = (each[0].transpose(0, 1).to(dtype) for each in (query, key, value))
    out = varlen.varlen_attn(
        queries,
        keys,
        values,
        cu_seq_lens_q,
        cu_seq_lens_q,
        max_length_q,
        max_length_q,
        scale=scaling,
        window_size=(-1, 0),
        enable_gqa=queries.shape[1] != keys.shape[1],
    )
    assert isinstance(out, torch.Tensor)  # noqa: S101  # no second output was asked for
    return out.unsqueeze(0), None


def register() -> None:
    """Make the name known to transformers; a model is then loaded with it as with any other."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import flash_attention_mask

    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, flash_attention_mask)
