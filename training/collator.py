from __future__ import annotations

import torch


class PackedCollator:
    def __call__(self, rows: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
        return {name: torch.tensor([row[name] for row in rows]) for name in rows[0]}
