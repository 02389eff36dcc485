"""The shape of a model: from its folder where that is at hand, else as the fleet's file states it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.fleet.config import Adapter, Fleet, Model
from inference.fleet.errors import BadFleet

# Of these the number of parameters follows from config.json; of others parameters_billion says it.
_LLAMA_LIKE = frozenset({"llama", "mistral"})
_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)  # what vLLM's --max-lora-rank takes


@dataclass(frozen=True, slots=True)
class Shape:
    """What memory depends on.

    Parameters
    ----------
    parameters
        How many, embeddings included.
    max_context
        Most tokens that the weights were made for, where it is known.
    """

    parameters: int
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    vocab: int
    max_context: int | None = None

    def lora_parameters(self, rank: int) -> int:
        """Of an adapter of that rank on all seven matrices of a layer, which is what vLLM keeps room for."""
        queries, keys = self.heads * self.head_dim, self.kv_heads * self.head_dim
        sums = 2 * (self.hidden + queries) + 2 * (self.hidden + keys) + 3 * (self.hidden + self.intermediate)
        return self.layers * rank * sums


def shape_of(model: Model, fleet: Fleet, *, place: str) -> Shape:
    """The model's shape.

    Parameters
    ----------
    place
        Where the model stands in the file, for errors.

    Raises
    ------
    BadFleet
        Where neither folder nor file tell it.
    """
    stated = fleet.architectures.get(model.architecture) if model.architecture else None
    if model.architecture and stated is None:
        known = ", ".join(sorted(fleet.architectures)) or "none"
        raise BadFleet(
            f"{place}.architecture: {model.architecture!r} is not one of architectures ({known}); add it there"
        )
    path = Path(model.folder) / "config.json"
    if path.is_file():
        return _from_config(path, None if stated is None else stated.parameters_billion)
    if stated is None:
        raise BadFleet(
            f"{place}.folder: {path} is not on this machine; give the model an architecture "
            "(a key of architectures), or run plan where the folder is"
        )
    return Shape(
        parameters=round(stated.parameters_billion * 1e9),
        layers=stated.layers,
        hidden=stated.hidden,
        heads=stated.heads,
        kv_heads=stated.kv_heads,
        head_dim=stated.head_dim,
        intermediate=stated.intermediate,
        vocab=stated.vocab,
        max_context=stated.max_context,
    )


def _from_config(path: Path, parameters_billion: float | None) -> Shape:
    config = _json(path)
    try:
        heads, hidden = int(config["num_attention_heads"]), int(config["hidden_size"])
        bare = Shape(
            parameters=0,
            layers=int(config["num_hidden_layers"]),
            hidden=hidden,
            heads=heads,
            kv_heads=int(config.get("num_key_value_heads") or heads),
            head_dim=int(config.get("head_dim") or hidden // heads),
            intermediate=int(config["intermediate_size"]),
            vocab=int(config["vocab_size"]),
            max_context=config.get("max_position_embeddings"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadFleet(f"{path}: {error} is missing or not a number; state an architecture instead") from None
    if parameters_billion is None and config.get("model_type") not in _LLAMA_LIKE:
        raise BadFleet(
            f"{path}: parameters of {config.get('model_type')} cannot be counted here; state parameters_billion in an architecture"
        )
    counted = (
        round(parameters_billion * 1e9)
        if parameters_billion is not None
        else _count(bare, tied=bool(config.get("tie_word_embeddings")))
    )
    return Shape(
        **{name: getattr(bare, name) for name in Shape.__slots__ if name != "parameters"}, parameters=counted
    )


def _count(shape: Shape, *, tied: bool) -> int:
    """Llama's parameters: four matrices of attention, three of the feed-forward, two norms a layer, embeddings, head, last norm."""
    queries, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    layer = 2 * shape.hidden * (queries + keys) + 3 * shape.hidden * shape.intermediate + 2 * shape.hidden
    embeddings = shape.vocab * shape.hidden * (1 if tied else 2)
    return shape.layers * layer + embeddings + shape.hidden


def rank_of(adapter: Adapter, *, place: str) -> int:
    """The adapter's rank, from its folder or from the file. Raises :class:`BadFleet`."""
    path = Path(adapter.folder) / "adapter_config.json"
    found = int(_json(path).get("r", 0)) if path.is_file() else None
    if found is None and adapter.rank is None:
        raise BadFleet(f"{place}.rank: {path} is not on this machine; state the adapter's rank")
    if found is not None and adapter.rank is not None and found != adapter.rank:
        raise BadFleet(f"{place}.rank: the file says {adapter.rank}, {path} says {found}; leave rank out")
    rank = found or adapter.rank or 0
    if rank > _RANKS[-1]:
        raise BadFleet(f"{place}.rank: vLLM serves adapters of rank {_RANKS[-1]} at most, not {rank}")
    return rank


def served_rank(ranks: list[int]) -> int:
    """The least ``--max-lora-rank`` that holds adapters of these ranks."""
    return next(each for each in _RANKS if each >= max(ranks))


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BadFleet(f"{path}: {error}") from None
    if not isinstance(found, dict):
        raise BadFleet(f"{path}: not an object")
    return found
