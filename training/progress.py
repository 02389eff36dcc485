"""A run's progress bar: one line a run, so that runs side by side do not write over each other."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from training.schedule import Pace

_EVERY_S = {True: 0.5, False: 15.0}  # a log file wants fewer lines than a terminal


class ProgressBar(TrainerCallback):
    """Steps, or seconds of a run that the clock ends, and loss on standard error.

    Parameters
    ----------
    name
        What is trained.
    line
        0 for the terminal's current line, 1 for the one below it, and so on.
    pace
        How far the run is. It is asked after each step, behind :class:`training.cadence.Flow`, which has read the clock for all processes.
    """

    def __init__(self, name: str, *, line: int, pace: Pace) -> None:
        self._name, self._line, self._pace = name, line, pace
        self._bar: tqdm | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._bar = tqdm(
            total=self._pace.total,
            desc=self._name,
            position=self._line,
            file=sys.stderr,
            unit=self._pace.unit,
            mininterval=_EVERY_S[sys.stderr.isatty()],
            dynamic_ncols=True,
        )

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if self._bar is not None:
            done = round(self._pace.progress(state.global_step) * self._pace.total)
            self._bar.update(done - self._bar.n)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if self._bar is not None and logs and "loss" in logs:
            self._bar.set_postfix(loss=logs["loss"], refresh=False)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if self._bar is not None:
            self._bar.close()
