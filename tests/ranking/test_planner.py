from __future__ import annotations

from math import ceil

import numpy as np
import pytest

from ranking import reference
from ranking.board import build_board
from ranking.fit import fit_bradley_terry, win_probabilities
from ranking.goals import Goal, Precision, Separation, TopK
from ranking.growth import PUBLISHED_TIES
from ranking.missing import firm_battles
from ranking.planner import HORIZON, first_lasting, plan_votes
from ranking.plans import PUBLISHED_PACE, Basis, Effort, Pace, Plan, PlanStatus
from ranking.policies import PRESETS, SamplingPolicy
from ranking.readers import Layout, read_tally
from ranking.tally import Tally
from tests.ranking.builders import make_tally, simulated

UNIFORM, BALANCED, DEFAULT = PRESETS["uniform"], PRESETS["balanced"], SamplingPolicy()


@pytest.fixture(scope="module")
def published() -> Tally:
    return read_tally(reference.pairs_path(), layout=Layout.PAIRS)


def planned(
    tally: Tally,
    goal: Goal,
    policy: SamplingPolicy = BALANCED,
    *,
    repetitions: int = 30,
    seed: int = 0,
) -> Plan:
    return plan_votes(tally, goal, policy=policy, repetitions=repetitions, seed=seed)


def votes(plan: Plan) -> int:
    assert plan.middle is not None
    return plan.middle.votes


def spread_out(*strengths: float, per_pair: int) -> Tally:
    """A board whose fit is the given strengths: expected counts, rounded."""
    counts = np.zeros((len(strengths), len(strengths), 4), dtype=np.int64)
    wins = win_probabilities(np.array(strengths)) * per_pair / 2
    counts[:, :, 0] = np.round(wins)
    counts[np.arange(len(strengths)), np.arange(len(strengths))] = 0
    return Tally(tuple(f"m{index}" for index in range(len(strengths))), counts)


def test_what_a_board_tells_already_needs_no_vote(published: Tally) -> None:
    for goal in (Precision(25), TopK(1), Separation("gpt-4o-2024-11-20", "exp_0_010")):
        plan = planned(published, goal)
        assert plan.status is PlanStatus.REACHED
        assert plan.basis is Basis.FIT
        assert plan.low == plan.middle == plan.high == Effort(votes=0, volunteers=0, hours=0.0)


def test_the_votes_of_the_plan_bring_the_published_board_to_its_precision(published: Tally) -> None:
    plan = planned(published, Precision(18), UNIFORM)
    rng, truth = np.random.default_rng(1), win_probabilities(fit_bradley_terry(published).strengths)
    counts = published.counts.copy()
    more = votes(plan) // 210
    for i in range(21):
        for j in range(i):
            tied = 0.89 * truth[i, j] * truth[j, i]
            counts[i, j, :3] += rng.multinomial(more, [truth[i, j] - tied / 2, truth[j, i] - tied / 2, tied])
    widths = [row.half_width for row in build_board(Tally(published.models, counts)).ratings]
    assert max(width for width in widths if width is not None) == pytest.approx(18, rel=0.02)


def test_an_even_prior_needs_what_the_closed_form_says() -> None:
    plan = planned(Tally.empty([f"m{index}" for index in range(8)]), Precision(25), BALANCED)
    assert plan.status is PlanStatus.PLANNED
    assert plan.basis is Basis.EVEN_PRIOR
    assert votes(plan) == pytest.approx(firm_battles(8) * 8 / 2 * (1 - PUBLISHED_TIES), rel=0.05)


def test_half_the_width_needs_four_times_the_votes() -> None:
    even = Tally.empty([f"m{index}" for index in range(6)])
    assert votes(planned(even, Precision(10))) == pytest.approx(
        4 * votes(planned(even, Precision(20))), rel=0.06
    )


def test_a_clear_gap_needs_what_its_test_needs() -> None:
    tally = spread_out(
        0.1, 0.0, per_pair=600
    )  # a gap of 0.1 nats that 1,537 votes show on average, 600 of them there
    plan = planned(tally, Separation("m0", "m1"), repetitions=200)
    assert plan.status is PlanStatus.PLANNED
    assert plan.low is not None
    assert plan.low.votes < 1537 - 600 < votes(plan) * 3
    assert plan.high is None or plan.high.votes > 3 * votes(plan)  # the gap itself is not well known


def test_duels_separate_neighbours_with_a_fraction_of_the_votes() -> None:
    tally = spread_out(1.5, 0.75, 0.05, -0.05, -0.75, -1.5, per_pair=300)
    goal = Separation("m2", "m3")
    slow = planned(tally, goal, BALANCED, repetitions=80)
    fast = planned(tally, goal, SamplingPolicy(floor=0.1, newcomer=0.0, duel=0.9), repetitions=80)
    assert votes(fast) < votes(slow) / 3


def test_newcomers_are_planned_from_the_spread_of_the_others(published: Tally) -> None:
    plan = planned(published.merged(Tally.empty(["new"])), Precision(25), DEFAULT)
    assert plan.basis is Basis.FIT_AND_PRIOR
    assert 900 < votes(plan) < 1600
    slow = planned(published.merged(Tally.empty(["new"])), Precision(25), UNIFORM)
    assert votes(slow) > 4 * votes(plan)


def test_a_top_may_need_a_newcomer_to_be_placed(published: Tally) -> None:
    plan = planned(published.merged(Tally.empty(["new"])), TopK(1), DEFAULT)
    assert plan.status is PlanStatus.PLANNED
    assert votes(plan) > 0


def test_the_same_seed_plans_the_same_and_another_about_the_same(published: Tally) -> None:
    first = planned(published, Precision(16), seed=4)
    assert planned(published, Precision(16), seed=4) == first
    other = planned(published, Precision(16), seed=5)
    assert other != first
    assert votes(other) == pytest.approx(votes(first), rel=0.05)


def test_the_interval_holds_the_middle() -> None:
    tally = simulated(np.linspace(-1, 1, 6), per_pair=40, tie_rate=0.3, rng=np.random.default_rng(6))
    for goal in (Precision(12), TopK(2)):
        plan = planned(tally, goal)
        assert plan.low is not None
        assert plan.low.votes <= votes(plan)
        assert plan.high is None or votes(plan) <= plan.high.votes


@pytest.mark.parametrize(
    ("seen", "votes_then"),
    [
        ([1, 1, 1], 0),
        ([0, 1, 1, 1], 10),
        ([0.5, 1.5, 2, 2], 5),
        ([0, 1, 1, 0.9, 0.8, 1.0, 1, 1], 50),  # two looks in a row are luck
        ([0, 1, 1], np.inf),
        ([0, 1], np.inf),
        ([0, 2, 0, 2, 0, 2], np.inf),
    ],
)
def test_a_goal_is_reached_where_three_looks_in_a_row_find_it_so(
    seen: list[float], votes_then: float
) -> None:
    never = np.zeros(len(seen))
    found = first_lasting(np.column_stack([np.array(seen, dtype=np.float64), never]))
    assert list(found) == [pytest.approx(votes_then), np.inf]


def test_equals_are_seldom_told_apart_by_luck() -> None:
    tally = spread_out(0.0, 0.0, per_pair=10**7)
    plan = planned(tally, Separation("m0", "m1"), repetitions=200)
    assert plan.status is PlanStatus.BEYOND_HORIZON
    assert plan.middle is None
    assert plan.reached_share < 0.1


def test_beyond_the_horizon_there_is_no_number() -> None:
    plan = planned(Tally.empty(["x", "y"]), Precision(0.1))
    assert plan.status is PlanStatus.BEYOND_HORIZON
    assert (plan.low, plan.middle, plan.high, plan.reached_share) == (None, None, None, 0.0)
    near = planned(Tally.empty(["x", "y"]), Precision(0.5))
    assert HORIZON / 4 < votes(near) < HORIZON


@pytest.mark.parametrize("tally", [Tally.empty([]), Tally.empty(["m0"])])
@pytest.mark.parametrize("goal", [Precision(20), TopK(1)])
def test_fewer_than_two_models_never_tell_anything(tally: Tally, goal: Goal) -> None:
    plan = planned(tally, goal)
    assert plan.status is PlanStatus.TOO_FEW_MODELS
    assert (plan.low, plan.middle, plan.high, plan.reached_share) == (None, None, None, 0.0)


@pytest.mark.parametrize(
    "tally",
    [
        Tally.empty(["m0", "m1", "m2"]),
        make_tally("m0>m1", models=["m0", "m1", "m2"]),
        make_tally("m0=m1*9", models=["m0", "m1", "m2"]),
        make_tally("m0>m1*5", "m0>m2*5", "m1>m2*5"),
        make_tally("m0>m1", "m1>m0", "m2>m3", "m3>m2"),
    ],
)
def test_without_ratings_widths_are_planned_from_an_even_prior_and_orders_are_not(tally: Tally) -> None:
    width = planned(tally, Precision(30))
    assert (width.status, width.basis) == (PlanStatus.PLANNED, Basis.EVEN_PRIOR)
    for goal in (Separation("m0", "m1"), TopK(1)):
        plan = planned(tally, goal)
        assert (plan.status, plan.basis) == (PlanStatus.NO_ORDER, Basis.EVEN_PRIOR)
        assert plan.middle is None


def test_a_model_without_a_rating_cannot_be_planned_apart(published: Tally) -> None:
    plan = planned(published.merged(Tally.empty(["new"])), Separation("new", "exp_0_010"))
    assert (plan.status, plan.basis) == (PlanStatus.NO_ORDER, Basis.FIT_AND_PRIOR)


def test_volunteers_and_hours_follow_from_the_votes() -> None:
    even = Tally.empty(["x", "y", "z"])
    pace = Pace(battles_a_volunteer=25, minutes_a_battle=4.5)
    plan = plan_votes(even, Precision(20), policy=BALANCED, pace=pace, repetitions=20)
    assert plan.pace is pace
    assert plan_votes(even, Precision(99), policy=BALANCED).pace is PUBLISHED_PACE
    assert not pace.is_assumed
    for effort in (plan.low, plan.middle, plan.high):
        assert effort is not None
        assert effort.volunteers == ceil(effort.votes / 25)
        assert effort.hours == pytest.approx(effort.votes * 4.5 / 60)


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, float("nan")])
def test_a_level_is_a_probability(level: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        plan_votes(Tally.empty(["x", "y"]), Precision(20), policy=BALANCED, level=level)


def test_a_higher_level_needs_more() -> None:
    even = Tally.empty(["x", "y", "z"])
    few, many = (
        votes(plan_votes(even, Precision(20), policy=BALANCED, level=level, repetitions=20))
        for level in (0.8, 0.99)
    )
    assert many / few == pytest.approx((2.5758 / 1.2816) ** 2, rel=0.05)


@pytest.mark.parametrize(
    ("goal", "said"),
    [(Separation("x", "nobody"), "lacks"), (TopK(3), "no top 3"), (TopK(9), "no top 9")],
)
def test_a_goal_of_another_board_is_refused(goal: Goal, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        planned(make_tally("x>y", "y>z", "z>x"), goal)


def test_at_least_one_future_is_simulated() -> None:
    with pytest.raises(ValueError, match="repetition"):
        planned(Tally.empty(["x", "y"]), Precision(20), repetitions=0)
    assert planned(Tally.empty(["x", "y"]), Precision(20), repetitions=1).status is PlanStatus.PLANNED
