"""The rows of the embedded candidates, made from this package's own texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from training.config import Recipe
from training.data import mix
from training.data.pack import Row

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


_STEPS_A_PASS = 200


class BuiltInRows:
    """Rows from generators that have no end: a pass is a whole run where its steps are known, and every pass is of rows of its own.

    Parameters
    ----------
    recipe
        Whose sources are all of this package.
    tokenizer
        That it trains with.
    """

    source_names = ("builtin",)

    def __init__(self, recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> None:
        batch, steps = recipe.batch, recipe.schedule.steps or _STEPS_A_PASS
        self._n_rows = steps * batch.rows * batch.accumulation * batch.processes
        self._recipe, self._tokenizer = recipe, tokenizer
        self._epoch, self._rows = -1, list[Row]()
        self.set_epoch(0)

    def __len__(self) -> int:
        return len(self._rows)

    def set_epoch(self, epoch: int) -> None:
        """Make the pass's rows."""
        if epoch != self._epoch:
            recipe = _with_seed(self._recipe, self._recipe.schedule.seed + epoch)
            self._rows = mix.rows(recipe, self._tokenizer, n_rows=self._n_rows)
            self._epoch = epoch

    def __getitem__(self, index: int) -> dict[str, list[int]]:
        row = self._rows[index]
        return {
            "input_ids": row.input_ids,
            "labels": row.labels,
            "position_ids": row.position_ids,
            "sources": [0] * len(row.labels),
        }


def _with_seed(recipe: Recipe, seed: int) -> Recipe:
    return recipe.model_copy(update={"schedule": recipe.schedule.model_copy(update={"seed": seed})})
