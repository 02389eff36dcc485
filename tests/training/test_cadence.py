"""When a run is written of, measured and saved."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import TrainerControl, TrainerState

from training.cadence import Flow, is_due
from training.parts import Cadence
from training.schedule import BySteps


def due(steps_an_epoch: float, times: int | None, upto: int) -> list[int]:
    return [s for s in range(1, upto + 1) if is_due(s, steps_an_epoch=steps_an_epoch, times=times)]


def test_four_a_pass_are_evenly_spread() -> None:
    assert due(100, 4, 200) == [25, 50, 75, 100, 125, 150, 175, 200]
    assert due(10, 4, 20) == [3, 5, 8, 10, 13, 15, 18, 20]
    assert due(100, None, 200) == []


def test_a_pass_of_part_of_a_step_is_measured_each_step_at_most() -> None:
    assert due(2, 4, 4) == [1, 2, 3, 4]
    assert due(2.5, 1, 10) == [3, 5, 8, 10]


@given(st.integers(1, 500), st.integers(1, 9), st.integers(1, 4))
def test_as_often_as_asked_where_there_are_steps_enough(steps: int, times: int, passes: int) -> None:
    found = due(steps, times, steps * passes)
    assert len(found) == min(times, steps) * passes
    assert found[-1] == steps * passes


def flow(*, asked: bool = False, **values: Any) -> Flow:
    cadence = Cadence(**({"kept": 1, "steps_a_log": 4} | values))
    return Flow(cadence, steps_an_epoch=10, pace=BySteps(20), asked=lambda: asked)


def told(by: Flow, step: int) -> set[str]:
    control, state = TrainerControl(), TrainerState()
    state.global_step = step
    args: Any = None
    by.on_step_end(args, state, control)
    return {
        name.removeprefix("should_")
        for name in ("should_log", "should_evaluate", "should_save", "should_training_stop")
        if getattr(control, name)
    }


@pytest.mark.parametrize(
    ("step", "wanted"),
    [
        (1, set()),
        (4, {"log"}),
        (5, {"log", "evaluate", "save"}),
        (10, {"log", "evaluate", "save"}),
        (19, set()),
        (20, {"log", "evaluate", "save", "training_stop"}),
    ],
)
def test_each_step_has_its_tasks_and_what_is_saved_is_logged_first(step: int, wanted: set[str]) -> None:
    assert told(flow(evaluations_an_epoch=2, saves_an_epoch=2), step) == wanted


def test_the_last_step_is_saved_and_measured_whatever_the_cadence_says() -> None:
    assert told(flow(), 20) == {"log", "save", "training_stop"}
    assert told(flow(evaluations_an_epoch=3), 20) == {"log", "evaluate", "save", "training_stop"}


def test_asked_to_stop_it_saves_and_does_not_measure() -> None:
    by = flow(asked=True, evaluations_an_epoch=10)
    assert told(by, 7) == {"log", "save", "training_stop"}
    assert by.is_interrupted


def test_asked_at_the_end_it_simply_ends() -> None:
    by = flow(asked=True)
    told(by, 20)
    assert not by.is_interrupted
