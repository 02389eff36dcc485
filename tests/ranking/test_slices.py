from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking.ballots import NOBODY, Ballots
from ranking.board import CENTRE, SCALE
from ranking.contextual import fit_contextual
from ranking.covariates import Covariates
from ranking.slices import FEWEST_USERS, Slice, SliceReport, SliceStatus, compare_slices
from ranking.types import Status
from ranking.voters import Spread, contextual_covariance
from tests.ranking.voters import make_ballots, simulate

TRUE = np.array([0.5, 0.1, -0.2, -0.4])
NAMES = ("A1-A2", "B1-B2", "C1-C2")


def by_user(ballots: Ballots, slices: int = 3) -> np.ndarray:
    return np.asarray(ballots.user % slices)


def make_sliced(
    *, apart: float = 0.0, n: int = 3000, users: int = 120, seed: int = 1, taste: float = 0.3
) -> tuple[Ballots, np.ndarray]:
    """Three slices of users whose strengths differ with a standard deviation of *apart* nats."""
    rng = np.random.default_rng(seed)
    shifts = apart * rng.normal(size=(3, 4))[np.arange(users) % 3]
    ballots = simulate(TRUE, n=n, users=users, rng=rng, taste=taste, shifts=shifts)
    return ballots, by_user(ballots)


def slice_of(report: SliceReport, name: str) -> Slice:
    return next(part for part in report.slices if part.name == name)


def test_slices_of_equal_voters_are_not_told_apart_and_shrink_together() -> None:
    report = compare_slices(*make_sliced(), NAMES)
    assert report.heterogeneity is not None
    assert report.heterogeneity.p > 0.01
    assert (report.heterogeneity.df, report.heterogeneity.df_voters) == (6, 120 - 3 - 5)
    assert report.spread is not None
    assert report.spread < 20
    assert [part.status for part in report.slices] == [SliceStatus.OK] * 3


def test_slices_that_differ_are_told_apart() -> None:
    report = compare_slices(*make_sliced(apart=0.5), NAMES)
    assert report.heterogeneity is not None
    assert report.heterogeneity.p < 1e-6
    assert report.heterogeneity.slices == NAMES
    assert report.spread == pytest.approx(0.5 * SCALE, rel=0.6)


def test_the_test_holds_its_level_though_voters_have_tastes() -> None:
    rejected = []
    for seed in range(100):
        report = compare_slices(*make_sliced(seed=seed, taste=0.6, n=1000, users=75), NAMES)
        assert report.heterogeneity is not None
        rejected.append(report.heterogeneity.p < 0.05)
    assert np.mean(rejected) <= 0.10


def test_slices_that_share_their_voters_are_compared_too() -> None:
    ballots, _ = make_sliced(taste=0.8)
    period = np.arange(3000) // 1000
    report = compare_slices(ballots, period, ("first", "second", "third"))
    assert report.heterogeneity is not None
    assert report.heterogeneity.p > 0.01
    assert report.heterogeneity.df_voters == 120 - 3 - 5


def test_a_slices_own_ratings_are_its_fit_with_students_interval() -> None:
    ballots, place = make_sliced()
    part = ballots.take(place == 1)
    nothing = Covariates.none(part.n_votes)
    fit = fit_contextual(part, nothing)
    error = np.sqrt(np.diag(contextual_covariance(part, nothing, fit, Spread.CR3)))
    found = slice_of(compare_slices(ballots, place, NAMES), "B1-B2")
    assert (found.n_votes, found.n_users) == (part.n_votes, 40)
    for row in found.ratings:
        index = int(row.model[1:])
        assert row.rating == pytest.approx(CENTRE + SCALE * fit.strengths[index])
        assert row.high - row.rating == pytest.approx(2.0227 * SCALE * error[index], rel=1e-4)  # t of 39
    assert [row.rating for row in found.ratings] == sorted(
        (row.rating for row in found.ratings), reverse=True
    )


def test_shrinking_brings_slices_nearer_to_their_truth() -> None:
    own, drawn, held = [], [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        shifts = 0.06 * rng.normal(size=(3, 4))
        ballots = simulate(TRUE, n=1500, users=90, rng=rng, shifts=shifts[np.arange(90) % 3])
        truth = TRUE + shifts
        truth = CENTRE + SCALE * (truth - truth.mean(axis=1, keepdims=True))
        for index, part in enumerate(compare_slices(ballots, by_user(ballots), NAMES).slices):
            for row in part.ratings:
                true = truth[index, int(row.model[1:])]
                assert row.shrunk is not None
                assert row.shrunk_low is not None
                assert row.shrunk_high is not None
                own.append((row.rating - true) ** 2)
                drawn.append((row.shrunk - true) ** 2)
                held.append(row.shrunk_low <= true <= row.shrunk_high)
    assert np.mean(drawn) < 0.9 * np.mean(own)
    assert np.mean(held) > 0.88


def test_a_slice_of_fewer_than_five_users_has_no_number_at_all() -> None:
    ballots, _ = make_sliced()
    few = np.where(ballots.user < FEWEST_USERS - 1, 0, 1)
    found = slice_of(compare_slices(ballots, few, ("few", "rest")), "few")
    assert found.status is SliceStatus.SUPPRESSED
    told = {each.name: getattr(found, each.name) for each in fields(found)}
    assert told == {"name": "few", "status": "suppressed", "n_votes": None, "n_users": None, "ratings": ()}
    five = np.where(ballots.user < FEWEST_USERS, 0, 1)
    enough = slice_of(compare_slices(ballots, five, ("five", "rest")), "five")
    assert enough.status is SliceStatus.OK
    assert enough.n_users == 5


def test_votes_of_nobody_and_without_weight_do_not_lift_a_slice_over_five_users() -> None:
    ballots, place = make_sliced()
    nobody = Ballots(
        ballots.models, ballots.a, ballots.b, ballots.outcome, np.where(place == 0, NOBODY, ballots.user)
    )
    assert slice_of(compare_slices(nobody, place, NAMES), "A1-A2").status is SliceStatus.SUPPRESSED
    weightless = ballots.reweighted(np.where((place == 0) & (ballots.user > 9), 0.0, 1.0))
    assert slice_of(compare_slices(weightless, place, NAMES), "A1-A2").status is SliceStatus.SUPPRESSED


def test_four_users_and_nobody_are_four_users() -> None:
    ballots, place = make_sliced()
    known = sorted(set(ballots.user[place == 0].tolist()))[:4]
    user = np.where((place == 0) & ~np.isin(ballots.user, known), NOBODY, ballots.user)
    mixed = Ballots(ballots.models, ballots.a, ballots.b, ballots.outcome, user)
    assert slice_of(compare_slices(mixed, place, NAMES), "A1-A2").status is SliceStatus.SUPPRESSED


def test_the_confidence_level_widens_every_interval() -> None:
    ballots, place = make_sliced(apart=0.3)
    narrow, wide = (compare_slices(ballots, place, NAMES, interval=level) for level in (0.8, 0.99))
    assert (narrow.interval, wide.interval) == (0.8, 0.99)
    assert narrow.heterogeneity == wide.heterogeneity
    for inner, outer in zip(narrow.slices, wide.slices, strict=True):
        for a, b in zip(inner.ratings, outer.ratings, strict=True):
            assert a.rating == b.rating
            assert b.low < a.low < a.high < b.high
            assert (b.shrunk_low or 0) < (a.shrunk_low or 0) < (a.shrunk_high or 0) < (b.shrunk_high or 0)


def test_slices_alike_in_every_vote_shrink_to_the_pooled_ratings() -> None:
    half, _ = make_sliced(n=800, users=40)
    twice = Ballots(
        half.models,
        np.tile(half.a, 2),
        np.tile(half.b, 2),
        np.tile(half.outcome, 2),
        np.concatenate([half.user, half.user + 100]),
    )
    report = compare_slices(twice, np.repeat([0, 1], 800), ("one", "other"))
    assert report.spread == 0
    assert report.heterogeneity is not None
    assert report.heterogeneity.wald == pytest.approx(0, abs=1e-9)
    assert report.heterogeneity.p == pytest.approx(1)
    pooled = fit_contextual(twice, Covariates.none(1600)).strengths
    for part in report.slices:
        for row in part.ratings:
            assert row.shrunk == pytest.approx(CENTRE + SCALE * pooled[int(row.model[1:])])
            assert row.shrunk == pytest.approx(row.rating)


def test_a_vote_of_no_slice_moves_no_slices_own_ratings() -> None:
    ballots, place = make_sliced()
    without = place != 2
    some = compare_slices(ballots, np.where(without, place, -1), NAMES[:2])
    alone = compare_slices(ballots.take(without), place[without], NAMES[:2])
    for a, b in zip(some.slices, alone.slices, strict=True):
        ours, theirs = {row.model: row for row in a.ratings}, {row.model: row for row in b.ratings}
        assert {name: row.rating for name, row in ours.items()} == pytest.approx(
            {name: row.rating for name, row in theirs.items()}
        )
        assert ours["m00"].shrunk != theirs["m00"].shrunk  # but the pooled ones that they are drawn to


def test_a_slice_without_votes_looks_like_one_of_few_users() -> None:
    ballots, place = make_sliced()
    report = compare_slices(ballots, np.where(place == 0, -1, place), NAMES)
    assert slice_of(report, "A1-A2") == Slice("A1-A2", SliceStatus.SUPPRESSED, None, None, ())
    assert report.heterogeneity is not None
    assert report.heterogeneity.slices == ("B1-B2", "C1-C2")


def test_one_rated_slice_has_ratings_but_nothing_to_be_compared_with() -> None:
    ballots, place = make_sliced()
    report = compare_slices(ballots, np.where(place == 2, 2, -1), NAMES)
    assert (report.heterogeneity, report.spread) == (None, None)
    (row, *_) = slice_of(report, "C1-C2").ratings
    assert (row.shrunk, row.shrunk_low, row.shrunk_high) == (None, None, None)


@pytest.mark.parametrize(
    ("written", "status"),
    [
        (["x>y*9"], SliceStatus.DISCONNECTED),
        (["x>y*9", "y>z*9"], SliceStatus.UNBOUNDED),
        (["x=y*9", "y=z*9"], SliceStatus.INSUFFICIENT),
        (["x>y*3", "y>x*3", "x>y*2", "y>z", "z>y"], SliceStatus.INSUFFICIENT),
    ],
)
def test_a_degenerate_slice_says_why(written: list[str], status: SliceStatus) -> None:
    firm = ["x>y*9", "y>x*9", "y>z*9", "z>y*9"]
    odd = make_ballots(*written).n_votes
    # the last two votes of the odd slice are one user's, so that in the last case nobody else met z
    users = [*range(36), *(100 + np.minimum(np.arange(odd), odd - 2)).tolist()]
    ballots = make_ballots(*firm, *written, users=users)
    place = np.array([0] * 36 + [1] * odd)
    report = compare_slices(ballots, place, ("firm", "odd"))
    assert slice_of(report, "odd").status is status
    assert slice_of(report, "odd").ratings == ()
    assert slice_of(report, "odd").n_votes == odd
    assert slice_of(report, "firm").status is SliceStatus.OK


def test_models_outside_the_pooled_core_are_in_no_slice() -> None:
    ballots = make_ballots("x>y*20", "y>x*20", "x>newcomer", users=list(range(41)))
    report = compare_slices(ballots, np.zeros(41, dtype=np.int64), ("all",))
    (all_,) = report.slices
    assert [row.model for row in all_.ratings] in (["x", "y"], ["y", "x"])
    assert all_.n_votes == 40


@pytest.mark.parametrize(
    ("written", "status"),
    [([], Status.EMPTY), (["x>y*9"], Status.UNBOUNDED), (["x=y*9"], Status.INSUFFICIENT)],
)
def test_votes_that_rate_nobody_say_why(written: list[str], status: Status) -> None:
    n = make_ballots(*written).n_votes
    ballots = make_ballots(*written, users=list(range(n)))
    report = compare_slices(ballots, np.zeros(n, dtype=np.int64), ("all",))
    assert report.status is status
    assert report.slices == (Slice("all", SliceStatus.SUPPRESSED, None, None, ()),)
    assert compare_slices(ballots, np.full(n, -1), ()).slices == ()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_votes_and_the_numbers_of_users_do_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ballots, place = make_sliced(n=600, users=60, apart=0.3)
    order, numbers = rng.permutation(600), rng.permutation(1000)
    mixed = Ballots(
        ballots.models,
        ballots.a[order],
        ballots.b[order],
        ballots.outcome[order],
        numbers[ballots.user[order]],
    )
    there, back = compare_slices(ballots, place, NAMES), compare_slices(mixed, place[order], NAMES)
    assert there.heterogeneity is not None
    assert back.heterogeneity is not None
    assert back.heterogeneity.wald == pytest.approx(there.heterogeneity.wald)
    assert back.spread == pytest.approx(there.spread)
    for name in NAMES:
        ours, theirs = slice_of(there, name).ratings, slice_of(back, name).ratings
        assert [row.shrunk for row in theirs] == pytest.approx([row.shrunk for row in ours])
        assert [row.low for row in theirs] == pytest.approx([row.low for row in ours])


def test_what_does_not_fit_together_is_refused() -> None:
    ballots = make_ballots("x>y", "y>x")
    zeros = np.zeros(2, dtype=np.int64)
    for place, names in (
        (np.zeros(3, dtype=np.int64), ("a",)),
        (zeros + 1, ("a",)),
        (zeros - 2, ("a",)),
        (zeros, ("a", "a")),
    ):
        with pytest.raises(ValueError, match=r"places|no name|twice"):
            compare_slices(ballots, place, names)
    with pytest.raises(ValueError, match="probability"):
        compare_slices(ballots, zeros, ("a",), interval=95)
