from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking.agreement import (
    MISSING,
    Agreement,
    AgreementStatus,
    Metric,
    agreement,
    krippendorff_alpha,
)
from ranking.ballots import NOBODY

A, B, TIE, BAD = range(4)

# Krippendorff, "Computing Krippendorff's alpha-reliability", 2011: four observers, twelve units, values 1 to 5, 0 is missing
WORKED_EXAMPLE = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
        [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
    ]
)

judgement = st.tuples(st.integers(0, 7), st.integers(NOBODY, 4), st.integers(MISSING, 3))


def judged(rows: list[tuple[int, int, int]], seed: int = 1, level: float = 0.95) -> Agreement:
    """Rows of (item, user, outcome)."""
    item, user, outcome = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return agreement(item, user, outcome, seed=seed, level=level)


def simulated_judgements(
    n_items: int, noise: float, rng: np.random.Generator, users: int = 3
) -> list[tuple[int, int, int]]:
    """Each item has a true outcome, which each user gives, or with probability *noise* any of three."""
    rows = []
    for item in range(n_items):
        true = int(rng.integers(3))
        rows += [
            (item, user, int(rng.integers(3)) if rng.random() < noise else true) for user in range(users)
        ]
    return rows


def by_pairs(rows: list[tuple[int, int, int]]) -> float:
    """Nominal alpha from its definition: one minus disagreement within items over disagreement among all judgements that count."""
    items: dict[int, list[int]] = {}
    for item, _, outcome in rows:
        items.setdefault(item, []).append(outcome)
    told = [values for values in items.values() if len(values) > 1]
    pool = [value for values in told for value in values]
    within = sum(2 * sum(x != y for x, y in combinations(values, 2)) / (len(values) - 1) for values in told)
    among = 2 * sum(x != y for x, y in combinations(pool, 2)) / (len(pool) - 1)
    return 1 - within / among


def test_the_worked_example_has_the_alphas_of_its_author() -> None:
    counts = np.stack([np.equal(WORKED_EXAMPLE, value).sum(axis=0) for value in range(1, 6)], axis=1)
    assert krippendorff_alpha(counts, Metric.NOMINAL) == pytest.approx(0.743, abs=0.0005)
    assert krippendorff_alpha(counts, Metric.ORDINAL) == pytest.approx(0.815, abs=0.0005)


def test_alpha_is_its_definition_pair_by_pair() -> None:
    rows = simulated_judgements(30, 0.5, np.random.default_rng(3))[:-1]
    found = judged(rows)
    assert found.nominal is not None
    assert found.nominal.value == pytest.approx(by_pairs(rows))


def test_full_agreement_is_one_and_its_interval_too() -> None:
    found = judged([(item, user, item % 3) for item in range(12) for user in range(2)])
    assert found.status is AgreementStatus.OK
    for alpha in (found.nominal, found.ordinal):
        assert alpha is not None
        assert (alpha.value, alpha.low, alpha.high) == (1, 1, 1)


def test_judgements_by_chance_agree_about_zero() -> None:
    found = judged(simulated_judgements(3000, 1.0, np.random.default_rng(5)))
    for alpha in (found.nominal, found.ordinal):
        assert alpha is not None
        assert alpha.value == pytest.approx(0, abs=0.03)


def test_a_tie_is_nearer_to_a_win_than_a_loss_is() -> None:
    near = judged([(k, 0, A if k % 2 else B) for k in range(20)] + [(k, 1, TIE) for k in range(20)])
    far = judged(
        [(k, 0, A if k % 2 else B) for k in range(20)] + [(k, 1, B if k % 2 else A) for k in range(20)]
    )
    for found in (near, far):
        assert found.nominal is not None
        assert found.ordinal is not None
    assert near.ordinal is not None
    assert far.ordinal is not None
    assert near.ordinal.value > far.ordinal.value + 0.4


def test_both_bad_is_a_tie_in_the_order_and_a_value_of_its_own_otherwise() -> None:
    rows = [(item, 0, [A, TIE, B][item % 3]) for item in range(12)]
    found = judged(rows + [(item, 1, BAD if outcome == TIE else outcome) for item, _, outcome in rows])
    assert found.ordinal is not None
    assert found.nominal is not None
    assert found.ordinal.value == 1
    assert found.nominal.value < 0.7


def test_intervals_hold_the_alpha_of_many_items_as_often_as_they_say() -> None:
    rng = np.random.default_rng(8)
    many = judged(simulated_judgements(20_000, 0.4, rng)).nominal
    assert many is not None
    held = []
    for seed in range(120):
        found = judged(simulated_judgements(60, 0.4, rng), seed, level=0.9).nominal
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        held.append(found.low <= many.value <= found.high)
    assert 0.83 <= np.mean(held) <= 0.96


def test_the_seed_decides_the_interval_and_nothing_else_does() -> None:
    rows = simulated_judgements(40, 0.4, np.random.default_rng(9))
    assert judged(rows, seed=1) == judged(rows[::-1], seed=1)
    one, other = judged(rows, seed=1).nominal, judged(rows, seed=2).nominal
    assert one is not None
    assert other is not None
    assert one.value == other.value
    assert one.low != other.low


def test_resampling_patterns_is_resampling_items() -> None:
    rng = np.random.default_rng(10)
    rows = simulated_judgements(50, 0.5, rng, users=2)
    found = judged(rows).nominal
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    alphas = []
    for _ in range(400):
        drawn = rng.integers(50, size=50)
        again = [(new, user, rows[2 * old + user][2]) for new, old in enumerate(drawn) for user in range(2)]
        alphas.append(by_pairs(again))
    assert np.quantile(alphas, [0.025, 0.975]) == pytest.approx([found.low, found.high], abs=0.04)


def test_few_items_have_an_alpha_and_no_interval() -> None:
    found = judged([(item, user, (item + user) % 3) for item in range(9) for user in range(2)])
    assert found.nominal is not None
    assert (found.nominal.low, found.nominal.high) == (None, None)


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        ([], AgreementStatus.NO_REPEATS),
        ([(1, 1, A)], AgreementStatus.NO_REPEATS),
        ([(1, 1, A), (2, 2, B)], AgreementStatus.NO_REPEATS),
        ([(1, 1, A), (1, 1, B)], AgreementStatus.NO_REPEATS),
        ([(1, 1, A), (1, 2, MISSING)], AgreementStatus.NO_REPEATS),
        ([(1, 1, A), (1, 2, A)], AgreementStatus.NO_VARIATION),
        ([(1, NOBODY, A), (1, NOBODY, B)], AgreementStatus.OK),
    ],
)
def test_without_repeated_items_that_vary_it_says_so(
    rows: list[tuple[int, int, int]], status: AgreementStatus
) -> None:
    found = judged(rows)
    assert found.status is status
    assert (found.nominal is not None) == (status is AgreementStatus.OK)


def test_ties_and_both_bad_alone_vary_by_name_and_not_by_rank() -> None:
    found = judged([(1, 1, TIE), (1, 2, BAD)])
    assert found.nominal is not None
    assert found.ordinal is None


@settings(max_examples=100, deadline=None)
@given(st.lists(judgement, max_size=40))
def test_every_judgement_is_accounted_for_and_alpha_is_at_most_one(rows: list[tuple[int, int, int]]) -> None:
    found = judged(rows)
    assert found.n_judgements + found.n_single + found.n_repeated + found.n_missing == len(rows)
    for alpha in (found.nominal, found.ordinal):
        if alpha is not None:
            assert np.isfinite(alpha.value)
            assert alpha.value <= 1


@settings(max_examples=50, deadline=None)
@given(st.lists(judgement, max_size=40))
def test_exchanged_sides_of_all_items_change_nothing(rows: list[tuple[int, int, int]]) -> None:
    turned = [(item, user, {A: B, B: A}.get(outcome, outcome)) for item, user, outcome in rows]
    one, other = judged(rows), judged(turned)
    assert one.n_items == other.n_items
    for alpha, beta in ((one.nominal, other.nominal), (one.ordinal, other.ordinal)):
        assert (alpha is None) == (beta is None)
        if alpha and beta:
            assert alpha.value == pytest.approx(beta.value)


def test_columns_that_are_none_are_refused() -> None:
    one = np.zeros(1, dtype=np.int64)
    with pytest.raises(ValueError, match="lengths"):
        agreement(one, one, np.zeros(2, dtype=np.int64), seed=1)
    for outcome in (-2, 4):
        with pytest.raises(ValueError, match="outcome"):
            agreement(one, one, one + outcome, seed=1)
    with pytest.raises(ValueError, match="level"):
        agreement(one, one, one, seed=1, level=1.0)
    with pytest.raises(ValueError, match="resamples"):
        agreement(one, one, one, seed=1, resamples=0)
