"""One simulation answers what a simulation for each goal would."""

from __future__ import annotations

import numpy as np
import pytest

from ranking import reference
from ranking.futures import Futures, foresee
from ranking.goals import Goal, Precision, Separation, TopK
from ranking.planner import plan_votes
from ranking.plans import Pace, PlanStatus
from ranking.policies import DEFAULT_POLICY, named_policy
from ranking.readers import read_tally
from ranking.tally import Tally
from tests.ranking.builders import make_tally

POLICY = named_policy(DEFAULT_POLICY)
FEW = 30
GPT, CLAUDE = "gpt-4o-2024-11-20", "claude-3-5-sonnet-20241022"


@pytest.fixture(scope="module")
def published() -> Tally:
    return read_tally(reference.pairs_path())


@pytest.fixture(scope="module")
def futures(published: Tally) -> Futures:
    return foresee(published, policy=POLICY, repetitions=FEW, seed=3)


@pytest.mark.parametrize(
    "goal",
    [
        Precision(100.0),
        Precision(12.5),
        Precision(0.3),
        Separation(GPT, CLAUDE),
        Separation(CLAUDE, GPT),
        TopK(1),
        TopK(2),
        TopK(20),
    ],
)
def test_every_goal_is_planned_as_by_a_simulation_of_its_own(
    published: Tally, futures: Futures, goal: Goal
) -> None:
    pace = Pace(7.0, 2.0)
    alone = plan_votes(published, goal, policy=POLICY, pace=pace, repetitions=FEW, seed=3)
    assert futures.plan(goal, pace) == alone


def test_all_pairs_and_tops_are_there(futures: Futures) -> None:
    assert len(futures.pairs) == 21 * 20 // 2
    assert len(futures.tops) == 20
    assert (np.diff(futures.widths.mean(axis=1)) < 0).all()


def test_a_model_without_a_rating_has_no_order_and_one_model_no_plan() -> None:
    two = foresee(make_tally("x>y*3", "y>x*2", models=["x", "y", "new"]), policy=POLICY, repetitions=4)
    assert two.plan(Separation("x", "new")).status is PlanStatus.NO_ORDER
    assert two.plan(Separation("x", "y")).status is not PlanStatus.NO_ORDER
    one = foresee(Tally.empty(["x"]), policy=POLICY, repetitions=4)
    assert one.plan(Precision(1.0)).status is PlanStatus.TOO_FEW_MODELS


def test_what_the_board_lacks_is_refused(futures: Futures) -> None:
    with pytest.raises(ValueError, match="not in"):
        futures.plan(Separation("HAL", GPT))
    with pytest.raises(IndexError):
        futures.plan(TopK(21))
