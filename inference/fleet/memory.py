"""How much memory a server takes, and what would fit where it does not."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from inference.fleet.shapes import Shape

GIB = 1024**3
_BLOCK = 16  # tokens that vLLM keeps together in its KV cache
_FLOAT32 = 4


@dataclass(frozen=True, slots=True)
class Demand:
    """What one server is asked to do.

    Parameters
    ----------
    n_bytes
        Of one number in weights and KV cache.
    parallel
        Over how many GPUs it is split; 1 on a CPU.
    sequences, context
        Most answers at once, and most tokens of each with its prompt.
    batched_tokens
        Most tokens in one step.
    overhead_bytes
        Besides what is counted here, on each GPU.
    lora_rank, loras
        Room for so many adapters of that rank.
    """

    shape: Shape
    n_bytes: int
    parallel: int
    sequences: int
    context: int
    batched_tokens: int
    overhead_bytes: int
    lora_rank: int = 0
    loras: int = 0


@dataclass(frozen=True, slots=True)
class Estimate:
    """Bytes on each GPU, or in main memory."""

    weights: int
    kv_cache: int
    activations: int
    overhead: int

    @property
    def total(self) -> int:
        return self.weights + self.kv_cache + self.activations + self.overhead


def kv_bytes_per_token(demand: Demand) -> int:
    """Keys and values of one token in all layers, on each GPU.

    Notes
    -----
    With grouped-query attention only the KV heads are kept. Tensor parallelism splits them; past one head a GPU they are copied instead.
    """
    heads = max(1, math.ceil(demand.shape.kv_heads / demand.parallel))
    return 2 * demand.shape.layers * heads * demand.shape.head_dim * demand.n_bytes


def estimate(demand: Demand) -> Estimate:
    """What a server takes.

    Notes
    -----
    Weights and adapters are split over the GPUs. Activations: the widest moment of a layer, the feed-forward with its two halves and the
    residual beside it, for a full step, and the sampler's float32 logits twice. A rule of thumb, of which ``overhead_bytes`` takes up the slack.
    """
    shape = demand.shape
    adapters = demand.loras * shape.lora_parameters(demand.lora_rank)
    widest = 3 * shape.intermediate // demand.parallel + 4 * shape.hidden
    logits = 2 * _FLOAT32 * demand.sequences * shape.vocab
    return Estimate(
        weights=math.ceil((shape.parameters + adapters) * demand.n_bytes / demand.parallel),
        kv_cache=demand.sequences * _blocks(demand.context) * _BLOCK * kv_bytes_per_token(demand),
        activations=demand.batched_tokens * widest * demand.n_bytes + logits,
        overhead=demand.overhead_bytes,
    )


def _blocks(tokens: int) -> int:
    return math.ceil(tokens / _BLOCK)


def alternatives(demand: Demand, *, memory: int, share: float, free_share: float, gpus: int) -> list[str]:
    """What would fit instead, each a change of one thing, the gentlest first.

    Parameters
    ----------
    memory
        Of one GPU, in bytes.
    share
        The part of it that the server is given.
    free_share
        The part that it could be given beside the others on its GPUs.
    gpus
        How many the host has.
    """
    room = int(memory * share)
    found = [
        _less(demand, room, "sequences"),
        _less(demand, room, "context"),
        _more_share(demand, memory, free_share),
        _more_gpus(demand, room, gpus),
    ]
    return [each for each in found if each]


def _less(demand: Demand, room: int, field: str) -> str | None:
    """The most of one field that fits: by bisection, since memory grows with it."""
    fits, too_much = 0, getattr(demand, field)
    while too_much - fits > 1:
        middle = (fits + too_much) // 2
        changed = (
            replace(demand, sequences=middle) if field == "sequences" else replace(demand, context=middle)
        )
        fits, too_much = (middle, too_much) if estimate(changed).total <= room else (fits, middle)
    if field == "context":
        fits -= fits % 256  # a context of fewer tokens than that is no chat
    return f"{field}: {fits}" if fits else None


def _more_share(demand: Demand, memory: int, free_share: float) -> str | None:
    needed = math.ceil(estimate(demand).total / memory * 100) / 100
    return f"share: {needed:.2f}" if needed <= free_share else None


def _more_gpus(demand: Demand, room: int, gpus: int) -> str | None:
    parallel = demand.parallel * 2
    while parallel <= gpus and demand.shape.heads % parallel == 0:
        if estimate(replace(demand, parallel=parallel)).total <= room:
            return f"{parallel} GPUs"
        parallel *= 2
    return None
