from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import expit, ndtri

from ranking import reference
from ranking.errors import DisconnectedTally, UnboundedTally
from ranking.fit import fit_bradley_terry, fit_points
from ranking.planning import Swap, Tampered, Tampering, battles_to_separate, votes_to_swap
from ranking.ranks import quantile, separated
from ranking.readers import read_tally
from ranking.tally import Tally
from ranking.types import POINT_RULES, Outcome, TieRule
from ranking.uncertainty import sandwich_covariance, weighted_sandwich
from tests.ranking.builders import make_tally, ring, simulated


@pytest.fixture(scope="module")
def published() -> Tally:
    return read_tally(reference.pairs_path())


def by_rank(tally: Tally, ties: TieRule = TieRule.HALF) -> list[str]:
    strengths = fit_bradley_terry(tally, ties=ties).strengths
    return [tally.models[index] for index in np.argsort(-strengths)]


def with_direct_battles(tally: Tally, one: int, other: int, n: int) -> tuple[float, float]:
    """The difference and its standard error after *n* more battles that come out exactly as fitted, without ties."""
    fit = fit_bradley_terry(tally)
    p = float(expit(fit.strengths[one] - fit.strengths[other]))
    counts = tally.counts.astype(np.float64)
    counts[one, other, :2] += n * p, n * (1 - p)
    more = fit_points(counts[:, :, 0] + counts[:, :, 1].T + (counts[:, :, 2] + counts[:, :, 2].T) / 2)
    covariance = weighted_sandwich(counts, more)
    error = covariance[one, one] + covariance[other, other] - 2 * covariance[one, other]
    return float(more.strengths[one] - more.strengths[other]), float(np.sqrt(error))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_battles_asked_for_are_just_enough(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tally = simulated(np.array([0.25, 0.1, -0.1, -0.25]), per_pair=80, tie_rate=0.3, rng=rng)
    fit = fit_bradley_terry(tally)
    one, other = np.argsort(-fit.strengths)[1:3]
    assume(fit.strengths[one] - fit.strengths[other] > 0.02)
    n = battles_to_separate(fit, sandwich_covariance(tally, fit), one, other)
    assert n is not None
    needed = quantile(0.95) + ndtri(0.8)
    gap, error = with_direct_battles(tally, one, other, n)
    assert gap / error >= needed - 1e-6
    if n:
        gap, error = with_direct_battles(tally, one, other, n - 1)
        assert gap / error < needed + 1e-6


def test_the_test_decides_with_the_power_that_was_asked_for() -> None:
    rng = np.random.default_rng(3)
    true = np.array([0.6, 0.05, -0.05, -0.6])
    expected = make_tally(models=[f"m{i:02}" for i in range(4)])
    counts = expected.counts.copy()
    for i in range(4):
        for j in range(i + 1, 4):
            won = round(400 / (1 + np.exp(true[j] - true[i])))
            counts[i, j, :2] = won, 400 - won
    tally = Tally(expected.models, counts)
    fit = fit_bradley_terry(tally)
    covariance = sandwich_covariance(tally, fit)
    n = battles_to_separate(fit, covariance, 1, 2, power=0.9)
    assert n
    assert n > 300
    decided = 0
    for _ in range(400):
        more = simulated(fit.strengths, per_pair=400, tie_rate=0.0, rng=rng).counts.copy()
        won = rng.binomial(n, expit(fit.strengths[1] - fit.strengths[2]))
        more[1, 2, :2] += won, n - won
        drawn = Tally(tally.models, more)
        refit = fit_bradley_terry(drawn)
        decided += bool(separated(refit.strengths, sandwich_covariance(drawn, refit), level=0.95)[1, 2])
    assert 0.86 <= decided / 400 <= 0.94


def test_it_does_not_matter_who_is_named_first(published: Tally) -> None:
    fit = fit_bradley_terry(published)
    covariance = sandwich_covariance(published, fit)
    assert battles_to_separate(fit, covariance, 3, 7) == battles_to_separate(fit, covariance, 7, 3)


def test_more_power_a_higher_level_and_fewer_ties_ask_for_more_battles(published: Tally) -> None:
    fit = fit_bradley_terry(published)
    covariance = sandwich_covariance(published, fit)
    one, other = (published.models.index(name) for name in by_rank(published)[1:3])

    def asked(**options: float) -> int:
        return battles_to_separate(fit, covariance, one, other, **options) or 0

    assert asked(power=0.5) < asked(power=0.8) < asked(power=0.95)
    assert asked(level=0.9) < asked(level=0.99)
    assert asked(tie_share=0.4) < asked(tie_share=0.2) < asked()
    assert asked(tie_share=1.0) > 0


def test_direct_battles_save_most_of_the_votes_that_balanced_drawing_needs(published: Tally) -> None:
    fit = fit_bradley_terry(published)
    covariance = sandwich_covariance(published, fit)
    savings = []
    names = by_rank(published)
    for upper, lower in pairwise(names):
        i, j = published.models.index(upper), published.models.index(lower)
        direct = battles_to_separate(fit, covariance, i, j, tie_share=0.2)
        variance = covariance[i, i] + covariance[j, j] - 2 * covariance[i, j]
        wanted = ((fit.strengths[i] - fit.strengths[j]) / (quantile(0.95) + ndtri(0.8))) ** 2
        if direct:
            savings.append(published.n_votes * (variance / wanted - 1) / direct)
    assert len(savings) == 17
    assert 18 < np.median(savings) < 26


def test_a_difference_that_is_clear_needs_no_more_and_none_at_all_cannot_be_told() -> None:
    clear = make_tally("x>y*400", "y>x*100")
    fit = fit_bradley_terry(clear)
    assert battles_to_separate(fit, sandwich_covariance(clear, fit), 0, 1) == 0
    even = make_tally("x>y*9", "y>x*9")
    fit = fit_bradley_terry(even)
    assert battles_to_separate(fit, sandwich_covariance(even, fit), 0, 1) is None
    with pytest.raises(ValueError, match="itself"):
        battles_to_separate(fit, sandwich_covariance(even, fit), 1, 1)


def test_a_difference_without_any_doubt_needs_no_more() -> None:
    tally = make_tally("x>y*30", "y>x*10")
    assert battles_to_separate(fit_bradley_terry(tally), np.zeros((2, 2)), 0, 1, tie_share=0.9) == 0


def swapped(tally: Tally, found: Swap, by: Tampering) -> Tally:
    """The tally after the tampering, votes taken from whichever side has them."""
    for each in found.votes:
        for _ in range(each.n):
            kinds = (
                [(each.winner, each.loser, Outcome.TIE), (each.loser, each.winner, Outcome.TIE)]
                if each.tied
                else [
                    (each.winner, each.loser, Outcome.A_BETTER),
                    (each.loser, each.winner, Outcome.B_BETTER),
                ]
            )
            place = {name: index for index, name in enumerate(tally.models)}
            kind = next(k for k in kinds if tally.counts[place[k[0]], place[k[1]], k[2].place])
            tally = tally.moved(*kind, step=-1)
            if by is Tampering.REVERSE:
                tally = tally.moved(each.loser, each.winner, Outcome.A_BETTER)
    return tally


def test_dropping_16_published_votes_swaps_ranks_2_and_3(published: Tally) -> None:
    _, second, third, *_ = by_rank(published)
    found = votes_to_swap(published, second, third)
    assert found is not None
    assert found.n_votes == 16
    assert found.votes == (Tampered(second, third, tied=False, n=16),)
    assert by_rank(swapped(published, found, Tampering.DROP))[1:3] == [third, second]


def test_reversing_half_as_many_does_as_well(published: Tally) -> None:
    _, second, third, *_ = by_rank(published)
    found = votes_to_swap(published, second, third, by=Tampering.REVERSE)
    assert found is not None
    assert found.n_votes == 8
    assert by_rank(swapped(published, found, Tampering.REVERSE))[1:3] == [third, second]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(Tampering), st.sampled_from(POINT_RULES))
def test_what_is_found_swaps_the_two_and_one_vote_less_does_not(
    seed: int, by: Tampering, ties: TieRule
) -> None:
    rng = np.random.default_rng(seed)
    tally = simulated(rng.normal(0, 0.3, 4), per_pair=20, tie_rate=0.3, rng=rng)
    strengths = fit_bradley_terry(tally, ties=ties).strengths
    upper, lower = by_rank(tally, ties)[1:3]
    assume(strengths[tally.models.index(upper)] - strengths[tally.models.index(lower)] > 1e-6)
    found = votes_to_swap(tally, upper, lower, by=by, ties=ties)
    if found is None:
        return
    assert found.n_votes == sum(each.n for each in found.votes)
    order = by_rank(swapped(tally, found, by), ties)
    assert order.index(lower) < order.index(upper)
    assert by is Tampering.DROP or not any(each.tied for each in found.votes)
    assert ties is TieRule.HALF or not any(each.tied for each in found.votes)
    if found.n_votes > 1:
        assert votes_to_swap(tally, upper, lower, by=by, ties=ties, most=found.n_votes - 1) is None


def test_a_tie_with_a_weaker_model_can_be_what_is_dropped() -> None:
    tally = make_tally("x>y*3", "y>x*3", "x>z*9", "z>x", "y>z*8", "z>y", "y=z")
    assert by_rank(tally) == ["x", "y", "z"]
    found = votes_to_swap(tally, "x", "y")
    assert found is not None
    assert found.n_votes == 1


def test_nothing_is_found_where_every_drop_would_leave_no_board() -> None:
    assert votes_to_swap(make_tally("x>y*2", "y>x"), "x", "y", most=1) is None
    assert votes_to_swap(make_tally("x>y*5", "y>x*4"), "x", "y", most=1) is None
    assert votes_to_swap(make_tally("x>y*2", "y>x"), "x", "y") is None


def test_equal_is_not_swapped() -> None:
    """One vote less makes them equal, two less swap them."""
    found = votes_to_swap(make_tally("x>y*5", "y>x*4"), "x", "y")
    assert found == Swap(2, (Tampered("x", "y", tied=False, n=2),))


def test_a_swap_that_would_undo_the_board_is_none() -> None:
    """Less the vote that put m0 ahead all are equal, and every vote of a ring is needed."""
    assert votes_to_swap(ring(3).merged(make_tally("m0>m1")), "m0", "m1") is None


def test_a_search_that_makes_no_sense_is_refused(published: Tally) -> None:
    first, second, *_ = by_rank(published)
    with pytest.raises(ValueError, match="is not rated above"):
        votes_to_swap(published, second, first)
    with pytest.raises(KeyError):
        votes_to_swap(published, first, "gpt-9")
    with pytest.raises(UnboundedTally):
        votes_to_swap(make_tally("x>y"), "x", "y")
    with pytest.raises(DisconnectedTally):
        votes_to_swap(Tally.empty(["x", "y"]), "x", "y")
