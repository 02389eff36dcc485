"""When a run is written of, measured and saved, as its recipe says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from training.parts import Cadence
from training.schedule import Pace


def is_due(step: int, *, steps_an_epoch: float, times: int | None) -> bool:
    """Whether one of so many evenly spread moments of a pass lies in this step; the last is at the pass's end.

    Parameters
    ----------
    step
        Counted from 1.
    steps_an_epoch
        Steps of a pass over the data, not a whole number where rows do not divide.
    times
        How often in a pass; None for never.
    """
    if times is None:
        return False
    every = steps_an_epoch / times
    return int(step / every + 1e-9) > int((step - 1) / every + 1e-9)


class Flow(TrainerCallback):
    """Tells the trainer when to log, evaluate, save and stop. A run ends with all four.

    Parameters
    ----------
    cadence
        Of the recipe.
    steps_an_epoch
        Steps of a pass over the data.
    pace
        Says when the run is over.
    asked
        Whether somebody asked the run to stop; then it saves and stops. All processes are told the same.
    """

    def __init__(
        self, cadence: Cadence, *, steps_an_epoch: float, pace: Pace, asked: Callable[[], bool]
    ) -> None:
        self._cadence, self._steps_an_epoch, self._pace, self._asked = cadence, steps_an_epoch, pace, asked
        self.is_interrupted = False

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        step, cadence = state.global_step, self._cadence
        over = self._pace.is_over(step)
        self.is_interrupted = not over and self._asked()
        if over or self.is_interrupted:
            control.should_training_stop = control.should_log = control.should_save = True
        if step % cadence.steps_a_log == 0:
            control.should_log = True
        measured = is_due(step, steps_an_epoch=self._steps_an_epoch, times=cadence.evaluations_an_epoch)
        if not self.is_interrupted and (measured or (over and cadence.evaluations_an_epoch is not None)):
            control.should_evaluate = True
        if is_due(step, steps_an_epoch=self._steps_an_epoch, times=cadence.saves_an_epoch):
            control.should_log = control.should_save = True  # what is saved counts what was logged
