"""The rows of the embedded candidates, made from this package's own texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from training.config import Recipe
from training.data import mix

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


class BuiltInRows:
    """All rows of a run as one pass; the generators behind them have no end.

    Parameters
    ----------
    recipe
        Of a number of steps.
    tokenizer
        That it trains with.
    """

    source_names = ("builtin",)

    def __init__(self, recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> None:
        self._rows = mix.rows(recipe, tokenizer)
        self._pad = tokenizer.pad_token_id

    def __len__(self) -> int:
        return len(self._rows)

    def set_epoch(self, epoch: int) -> None:
        """There is one pass."""

    def __getitem__(self, index: int) -> dict[str, list[int]]:
        row = self._rows[index]
        return {
            "input_ids": row.input_ids,
            "labels": row.labels,
            "position_ids": row.position_ids,
            "sources": [0] * len(row.labels),
        }
