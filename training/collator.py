"""Packed rows to a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from training.data.tokenise import IGNORED
from training.errors import BadData

if TYPE_CHECKING:
    import torch

NAMES = ("input_ids", "labels", "position_ids", "sources")


class PackedCollator:
    """Rows of one length to tensors of shape ``(rows, length)``, by :data:`NAMES`, without an attention mask.

    Documents are kept apart by position ids that restart at 0: where there is neither mask nor cache, transformers makes a block-diagonal causal mask of
    them (eager, SDPA and flex attention) or tells the kernels where documents begin (flash attention). A mask of ones, which other collators add, switches
    that off without a word. The label of each document's first token is ignored whatever the rows say: it would be predicted from the document before.

    Raises
    ------
    BadData
        When called, for rows with other names or of different lengths.
    """

    def __call__(self, rows: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
        import torch

        for row in rows:
            if row.keys() != set(NAMES):
                raise BadData(f"a packed row has {', '.join(NAMES)}, not {', '.join(sorted(row))}")
        lengths = {len(values) for row in rows for values in row.values()}
        if len(lengths) != 1:
            raise BadData(f"packed rows are of one length, not of {', '.join(map(str, sorted(lengths)))}")
        # by way of numpy: torch reads lists six times as slowly
        batch = {name: torch.from_numpy(np.array([row[name] for row in rows])) for name in NAMES}
        batch["labels"].masked_fill_(batch["position_ids"].eq(0), IGNORED)
        return batch
