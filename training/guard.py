"""Stops a run whose loss or gradient is no number, before a step would carry it into the weights."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from training.errors import NotFinite


def number_of(norm: torch.Tensor | float) -> float:
    """A gradient's norm as a number; over all shards where weights are sharded."""
    whole = norm.full_tensor() if hasattr(norm, "full_tensor") else norm
    return float(whole)


def check(
    norm: float, *, step: int, first_row: int, rows: int, losses: Sequence[torch.Tensor | float]
) -> None:
    """Refuse a step.

    The gradient's norm is of all processes, and a loss that is no number makes a gradient that is none: so all processes stop at the same step.

    Parameters
    ----------
    norm
        Of the step's gradient, before clipping.
    step
        The one that is not taken, counted from 1.
    first_row, rows
        What it read: so many rows of the run from that one on, over all processes.
    losses
        Of this process's batches in the step, in nats, for the message.

    Raises
    ------
    NotFinite
    """
    if math.isfinite(norm):
        return
    found = [float(loss) for loss in losses]
    bad = [place for place, loss in enumerate(found) if not math.isfinite(loss)]
    where = "the losses here are finite"
    if bad:
        where = f"the loss of batch {bad[0] + 1} of {len(found)} here is {found[bad[0]]}"
    raise NotFinite(
        f"step {step}: the gradient's norm is {norm}, {where}; the step read rows {first_row} to {first_row + rows - 1} of the run and was not taken; the "
        "last checkpoint is from before it"
    )
