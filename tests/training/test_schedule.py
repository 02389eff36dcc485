"""The learning rate over a run."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import get_scheduler

from tests.training import tiny
from training.parts import Schedule
from training.schedule import BySeconds, BySteps, learning_rate, multiplier

shares = st.floats(0, 1)


class Clock:
    """Moves when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("progress", "wanted"),
    [
        (0.0, 0.0),
        (0.05, 0.5),
        (0.1, 1.0),
        (0.325, 0.33 + 0.67 * (1 + math.cos(math.pi / 4)) / 2),
        (0.55, 0.33 + 0.67 / 2),
        (1.0, 0.33),
        (1.5, 0.33),
        (-1.0, 0.0),
    ],
)
def test_the_studys_schedule_has_these_values(progress: float, wanted: float) -> None:
    assert multiplier(progress, warmup=0.1, floor=0.33) == pytest.approx(wanted)


@given(shares, shares, shares, shares)
def test_it_rises_to_one_and_falls_to_the_floor(
    one: float, other: float, warmup: float, floor: float
) -> None:
    low, high = sorted((one, other))
    at_low, at_high = (multiplier(each, warmup=warmup, floor=floor) for each in (low, high))
    if high < warmup:
        assert at_low <= at_high <= 1
    elif low >= warmup:
        assert 1 + 1e-9 >= at_low >= at_high - 1e-9
        assert at_high >= floor - 1e-9


def test_without_warm_up_it_begins_at_one_and_with_nothing_else_it_ends_there() -> None:
    assert multiplier(0.0, warmup=0, floor=0.1) == 1
    assert multiplier(1.0, warmup=1, floor=0.1) == pytest.approx(0.1)


def test_by_steps_it_is_what_transformers_has() -> None:
    import torch

    schedule = Schedule(steps=40, warmup=0.1, floor=0.33, seed=1)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = get_scheduler(
        "cosine_with_min_lr",
        optimizer,
        num_warmup_steps=4,
        num_training_steps=40,
        scheduler_specific_kwargs={"min_lr_rate": 0.33},
    )
    ours = learning_rate(BySteps(40), schedule)
    for step in range(41):
        assert ours(step) == pytest.approx(theirs.get_last_lr()[0], abs=1e-12), step
        optimizer.step()
        theirs.step()


def test_by_seconds_it_follows_the_clock_and_reads_it_once_a_step() -> None:
    clock = Clock()
    pace = BySeconds(50, clock=clock)
    assert pace.progress(0) == 0
    clock.now += 25
    assert pace.progress(0) == 0
    assert pace.progress(1) == 0.5
    assert not pace.is_over(1)
    clock.now += 20
    assert pace.progress(2) == pytest.approx(0.9)


def test_by_seconds_it_ends_where_the_next_step_would_end_later_than_early() -> None:
    clock = Clock()
    pace = BySeconds(10, clock=clock)
    ends = []
    for step in range(1, 9):
        clock.now += 1.9
        if pace.is_over(step):
            ends.append(step)
    assert ends[0] == 5  # 9.5 s: one more step would end at 11.4
    assert pace.progress(8) > 1


def test_time_before_an_interruption_counts_and_all_take_the_first_processs_time() -> None:
    clock = Clock()
    pace = BySeconds(100, before=40, clock=clock)
    clock.now += 10
    assert pace.progress(7) == 0.5
    told = BySeconds(100, clock=clock, agree=lambda seconds: 30.0)
    assert told.progress(1) == 0.3


@given(st.integers(1, 1000))
def test_a_run_of_steps_is_over_at_its_last(steps: int) -> None:
    pace = BySteps(steps)
    assert not pace.is_over(steps - 1)
    assert pace.is_over(steps)
    assert pace.progress(steps) == 1


def test_a_trainer_takes_these_rates(tmp_path) -> None:  # type: ignore[no-untyped-def]
    lines: list[dict[str, float]] = []
    recipe = tiny.recipe("schedule.steps=10", "schedule.warmup=0.2")
    tiny.fit(tiny.trainer(recipe, tmp_path, lines=lines))
    wanted = [3e-3 * multiplier(step / 10, warmup=0.2, floor=0.1) for step in range(10)]
    assert [line["learning_rate"] for line in lines] == pytest.approx(wanted)
