from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking.ballots import Ballots
from ranking.board import SCALE, build_board
from ranking.contextual import fit_contextual
from ranking.covariates import SIDE, Covariates
from ranking.errors import NoFit, UnboundedTally
from ranking.style import Term, build_style_board, position_bias
from ranking.tally import Tally
from ranking.types import Status
from ranking.voters import Spread, contextual_covariance
from tests.ranking.builders import make_tally
from tests.ranking.voters import draw_outcomes, make_ballots, make_covariates, simulate

TRUE = np.array([0.6, 0.2, -0.1, -0.7])


def side_of(n: int) -> Covariates:
    return Covariates((SIDE,), np.ones((n, 1)))


def make_biased(bias: float, *, n: int = 4000, seed: int = 5) -> Ballots:
    rng = np.random.default_rng(seed)
    return simulate(TRUE, n=n, users=150, rng=rng, covariates=side_of(n), coefficients=np.array([bias]))


def make_verbose(n: int = 6000) -> tuple[Ballots, Covariates]:
    """All models are equally good, but the first ones write longer and long answers please."""
    rng = np.random.default_rng(8)
    a = rng.integers(0, 4, n)
    b = (a + rng.integers(1, 4, n)) % 4
    habit = np.array([1.5, 0.5, -0.5, -1.5])
    length = (habit[a] - habit[b] + rng.normal(size=n))[:, None]
    p = 1 / (1 + np.exp(-0.6 * length[:, 0]))
    outcome = np.where(rng.random(n) < p, 0, 1)
    ballots = Ballots(("w", "x", "y", "z"), a, b, outcome, rng.integers(0, 200, n))
    return ballots, Covariates(("length",), length)


def test_strengths_that_are_length_alone_vanish_when_length_is_held() -> None:
    ballots, covariates = make_verbose()
    plain = build_board(ballots.tally())
    assert (plain.ratings[0].model, plain.ratings[-1].model) == ("w", "z")
    assert (plain.ratings[0].rating or 0) > 1130
    board = build_style_board(ballots, covariates, interval=0.99)
    for row in board.ratings:
        assert row.low is not None
        assert row.high is not None
        assert row.low < 1000 < row.high
    (length,) = board.terms
    assert length.low < 0.6 * SCALE < length.high


def test_the_shift_is_what_style_moved() -> None:
    ballots, covariates = make_verbose(2000)
    plain = {row.model: row.rating for row in build_board(ballots.tally()).ratings}
    for row in build_style_board(ballots, covariates).ratings:
        assert row.rating is not None
        assert row.shift == pytest.approx(row.rating - (plain[row.model] or 0), abs=1e-6)


def test_the_board_carries_cr3_intervals_and_both_for_the_terms() -> None:
    ballots, covariates = make_verbose(2000)
    board = build_style_board(ballots, covariates, interval=0.9)
    fit = fit_contextual(ballots, covariates)
    by_vote, by_voter = (
        contextual_covariance(ballots, covariates, fit, spread) for spread in (Spread.VOTES, Spread.CR3)
    )
    (term,) = board.terms
    assert term.estimate == pytest.approx(SCALE * fit.coefficients[0])
    assert term.error == pytest.approx(SCALE * np.sqrt(by_vote[4, 4]))
    assert term.voter_error == pytest.approx(SCALE * np.sqrt(by_voter[4, 4]))
    assert term.high - term.low == pytest.approx(2 * 1.6448536 * term.error)
    assert (term.voter_high or 0) - (term.voter_low or 0) == pytest.approx(
        2 * 1.6448536 * (term.voter_error or 0)
    )
    row = next(row for row in board.ratings if row.model == "w")
    assert (row.high or 0) - (row.low or 0) == pytest.approx(2 * 1.6448536 * SCALE * np.sqrt(by_voter[0, 0]))
    assert (board.spread, board.interval, board.n_votes) == (Spread.CR3, 0.9, 2000)


def test_intervals_of_terms_cover_what_was_put_in() -> None:
    rng = np.random.default_rng(44)
    worth = np.array([0.3, 0.4, -0.2])
    held = []
    for _ in range(60):
        covariates = make_covariates(1500, rng)
        ballots = simulate(TRUE, n=1500, users=100, rng=rng, covariates=covariates, coefficients=worth)
        for term, true in zip(build_style_board(ballots, covariates).terms, worth, strict=True):
            assert term.voter_low is not None
            assert term.voter_high is not None
            held += [term.low <= true * SCALE <= term.high, term.voter_low <= true * SCALE <= term.voter_high]
    assert 0.91 <= np.mean(held) <= 0.98


def test_a_model_outside_the_core_says_why_and_takes_nothing_from_the_others() -> None:
    ballots = make_ballots("x>y*60", "y>x*50", "x>loser", users=list(range(111)))
    board = build_style_board(
        ballots, Covariates(("length",), np.random.default_rng(1).normal(size=(111, 1)))
    )
    rows = {row.model: row for row in board.ratings}
    assert rows["loser"].status is Status.UNBOUNDED
    assert (rows["loser"].rating, rows["loser"].low, rows["loser"].shift) == (None, None, None)
    assert board.ratings[-1].model == "loser"
    assert rows["x"].rating is not None
    assert rows["x"].status is Status.PROVISIONAL
    assert board.status is Status.OK
    assert board.n_votes == 110


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ([], Status.EMPTY),
        (["x>y"], Status.UNBOUNDED),
        (["x=y*9"], Status.INSUFFICIENT),
        (["a>b", "b>a", "c>d", "d>c"], Status.DISCONNECTED),
    ],
)
def test_a_board_without_ratings_says_why(written: list[str], status: Status) -> None:
    ballots = make_ballots(*written)
    board = build_style_board(ballots, side_of(ballots.n_votes))
    assert board.status is status
    assert board.terms == ()
    assert {row.rating for row in board.ratings} <= {None}


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_votes_and_the_names_of_models_do_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ballots, covariates = make_verbose(500)
    order, turn = rng.permutation(500), rng.permutation(4)
    back = np.argsort(turn)
    mixed = Ballots(
        tuple(ballots.models[index] for index in turn),
        back[ballots.a[order]],
        back[ballots.b[order]],
        ballots.outcome[order],
        ballots.user[order],
    )
    there = build_style_board(ballots, covariates)
    again = build_style_board(mixed, Covariates(covariates.names, covariates.values[order]))
    assert [row.model for row in again.ratings] == [row.model for row in there.ratings]
    for ours, theirs in zip(there.ratings, again.ratings, strict=True):
        assert theirs.rating == pytest.approx(ours.rating)
        assert theirs.low == pytest.approx(ours.low)
    assert again.terms[0].voter_error == pytest.approx(there.terms[0].voter_error)


def test_voters_who_each_have_a_taste_for_length_widen_its_interval() -> None:
    rng = np.random.default_rng(21)
    length = rng.normal(size=4000)
    user = rng.integers(0, 40, 4000)
    liking = rng.normal(0.2, 0.6, 40)
    a = rng.integers(0, 4, 4000)
    b = (a + rng.integers(1, 4, 4000)) % 4
    outcome = draw_outcomes(TRUE[a] - TRUE[b] + liking[user] * length, rng)
    ballots = Ballots(("w", "x", "y", "z"), a, b, outcome, user)
    (term,) = build_style_board(ballots, Covariates(("length",), length[:, None])).terms
    assert term.voter_error is not None
    assert term.voter_error > 2 * term.error


def test_weightless_votes_are_not_there() -> None:
    ballots, covariates = make_verbose(1500)
    kept = np.random.default_rng(6).random(1500) < 0.7
    weighted = build_style_board(ballots.reweighted(kept.astype(float)), covariates)
    there = build_style_board(ballots.take(kept), covariates.take(kept))
    assert weighted.n_votes == there.n_votes == kept.sum()
    for ours, theirs in zip(weighted.ratings, there.ratings, strict=True):
        assert ours.model == theirs.model
        assert (ours.rating, ours.low) == pytest.approx((theirs.rating, theirs.low))
        assert ours.status is theirs.status


def test_a_firm_row_is_ok_and_a_wide_one_provisional() -> None:
    ballots, covariates = make_verbose()
    assert {row.status for row in build_style_board(ballots, covariates).ratings} == {Status.OK}
    few = np.arange(6000) < 300
    wide = build_style_board(ballots.take(few), covariates.take(few))
    assert {row.status for row in wide.ratings} == {Status.PROVISIONAL}


def test_separation_is_an_error_also_of_the_board() -> None:
    ballots = make_ballots("x>y*5", "y>x*4")
    with pytest.raises(UnboundedTally, match="side: predicts"):
        build_style_board(ballots, side_of(9))


def test_one_voter_leaves_intervals_over_votes() -> None:
    ballots = make_ballots("x>y*30", "y>x*20", "x<y*9", "y<x*9")
    board = build_style_board(ballots, side_of(68))
    assert board.spread is Spread.VOTES
    (term,) = board.terms
    assert (term.voter_error, term.voter_low, term.voter_high) == (None, None, None)
    assert board.ratings[0].low is not None


def test_missing_rows_and_an_impossible_interval_are_refused() -> None:
    ballots = make_ballots("x>y", "y>x")
    with pytest.raises(ValueError, match="1 rows of covariates for 2 votes"):
        build_style_board(ballots, side_of(1))
    for interval in (0.0, 1.0):
        with pytest.raises(ValueError, match="probability"):
            build_style_board(ballots, side_of(2), interval=interval)
        with pytest.raises(ValueError, match="probability"):
            position_bias(ballots.tally(), interval=interval)


def test_the_position_bias_of_counts_is_that_of_single_votes() -> None:
    ballots = make_biased(0.3)
    found = position_bias(ballots.tally())
    fit = fit_contextual(ballots, side_of(4000))
    covariance = contextual_covariance(ballots, side_of(4000), fit, Spread.VOTES)
    assert found.estimate == pytest.approx(SCALE * fit.coefficients[0])
    assert found.error == pytest.approx(SCALE * np.sqrt(covariance[4, 4]))
    assert (found.name, found.voter_error) == (SIDE, None)
    assert found.low < 0.3 * SCALE < found.high


def test_two_models_shown_on_both_sides_give_the_bias_by_hand() -> None:
    found = position_bias(make_tally("x>y*30", "x<y*10", "y>x*20", "y<x*20"))
    # log-odds for A are log 3 one way and 0 the other; half of their sum is the side's
    assert found.estimate == pytest.approx(SCALE * np.log(3) / 2)
    assert found.error == pytest.approx(SCALE * np.sqrt(1 / 30 + 1 / 10 + 1 / 20 + 1 / 20) / 2)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_swapped_sides_turn_the_bias_around(seed: int) -> None:
    tally = make_biased(0.2, n=400, seed=seed).tally()
    there, back = position_bias(tally), position_bias(tally.swapped())
    assert back.estimate == pytest.approx(-there.estimate, abs=1e-6)
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low), abs=1e-6)


def test_votes_without_a_bias_have_an_interval_over_zero_in_most_boards() -> None:
    terms: list[Term] = [position_bias(make_biased(0.0, n=500, seed=seed).tally()) for seed in range(200)]
    assert 0.91 <= np.mean([term.low <= 0 <= term.high for term in terms]) <= 0.985


def test_a_bias_that_cannot_be_told_is_an_error_that_says_why() -> None:
    with pytest.raises(NoFit, match="side: a combination of the models"):
        position_bias(make_tally("x>y*3", "x<y*2"))
    with pytest.raises(UnboundedTally, match="side: predicts"):
        position_bias(make_tally("x>y*3", "y>x*2"))
    with pytest.raises(NoFit, match="empty"):
        position_bias(Tally.empty([]))
    with pytest.raises(NoFit, match="unbounded"):
        position_bias(make_tally("x>y"))


def test_a_newcomer_that_only_lost_does_not_hide_the_bias() -> None:
    known = position_bias(make_biased(0.3).tally())
    with_newcomer = make_biased(0.3).tally().merged(make_tally("m00>new*3"))
    assert position_bias(with_newcomer) == known
