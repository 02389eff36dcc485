"""Model FLOPs utilisation: how much of a device's peak goes into what the model needs by its formula."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# Dense bf16 peaks, FLOP/s, from the makers' data sheets, without sparsity. The longest name that fits counts.
PEAKS = {
    "A100": 312e12,
    "A40": 149.7e12,
    "A10": 125e12,
    "L4": 121e12,
    "L40S": 362e12,
    "H100": 989e12,
    "H100 PCIe": 756e12,
    "H100 NVL": 835e12,
    "H200": 989e12,
    "GH200": 989e12,
    "B200": 2250e12,
    "MI250X": 383e12,
    "MI300X": 1307e12,
}


@dataclass(frozen=True, slots=True)
class Cost:
    """FLOPs of training a model.

    Parameters
    ----------
    trained, frozen
        Parameters that take part in matrix products, by whether they learn: all but the embedding table, the head included even where it shares the
        table's weights.
    attention
        ``layers * heads * head_dim``.

    Notes
    -----
    A token costs ``6 * trained + 4 * frozen + 12 * attention * keys`` (Kaplan et al., 2020; Chowdhery et al., 2022, appendix B): forward 2 a weight,
    backward 4, or 2 where the weight itself has no gradient. ``keys`` is the mean number of keys that a token attends to, itself included; for one
    document of ``T`` tokens ``(T + 1) / 2``, so what is masked is not counted, nor what gradient checkpointing computes twice. Figures of others that
    count ``T`` keys are higher by that for the same speed.
    """

    trained: int
    frozen: int
    attention: int

    def per_token(self, keys: float) -> float:
        return 6 * self.trained + 4 * self.frozen + 12 * self.attention * keys


def cost_of(model: Any) -> Cost:
    """The cost of a causal model of transformers, adapters included; read it before weights are sharded."""
    config = model.config
    table = model.get_input_embeddings().weight
    head = model.get_output_embeddings().weight
    counted = [each for each in model.parameters() if each is not table or table is head]
    heads = config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // heads
    return Cost(
        trained=sum(each.numel() for each in counted if each.requires_grad),
        frozen=sum(each.numel() for each in counted if not each.requires_grad),
        attention=config.num_hidden_layers * heads * width,
    )


def peak_of(device: str) -> float | None:
    """Peak FLOP/s in bf16 of a device by its name, such as ``NVIDIA H100 80GB HBM3``; None for one that is not in the table."""
    words = device.replace("-", " ").split()
    fitting = [name for name in PEAKS if set(name.split()) <= set(words)]
    return PEAKS[max(fitting, key=len)] if fitting else None


def utilisation(cost: Cost, *, tokens_per_s: float, keys: float, peak: float | None) -> float | None:
    """Share of the peak; None where the peak is not known.

    Parameters
    ----------
    tokens_per_s
        Of one device.
    keys
        Mean keys a token attends to.
    """
    return None if peak is None else cost.per_token(keys) * tokens_per_s / peak
