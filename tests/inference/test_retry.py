"""When a request is asked again, and how long the pauses are."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference import errors
from inference.retry import RetryPolicy, pause_s

POLICY = RetryPolicy(retries=2, base_s=0.5, cap_s=3)
WORTH_IT = [
    errors.ConnectFailed("x"),
    errors.ServerFailed("x"),
    errors.RateLimited("x"),
    errors.StreamTimeout("x", connecting=True),
]
NEVER = [
    errors.Unauthorized("x"),
    errors.ModelNotFound("x"),
    errors.BadRequest("x"),
    errors.StreamTimeout("x"),
    errors.MalformedStream("x"),
    errors.EmptyAnswer("x"),
    errors.QueueFull("x"),
    errors.CircuitOpen("x"),
    errors.BudgetSpent("x"),
]


def asked_again(error: errors.StreamError, tried: int = 1, left_s: float = 60) -> float | None:
    return pause_s(error, tried=tried, left_s=left_s, policy=POLICY, rng=random.Random(1))


@pytest.mark.parametrize("error", WORTH_IT, ids=lambda error: error.code)
def test_what_may_mend_is_asked_twice_more(error: errors.StreamError) -> None:
    assert [asked_again(error, tried) is not None for tried in (1, 2, 3)] == [True, True, False]


@pytest.mark.parametrize("error", NEVER, ids=lambda error: error.code)
def test_what_no_second_try_mends_is_not_asked_again(error: errors.StreamError) -> None:
    assert asked_again(error) is None


@given(seed=st.integers(), tried=st.integers(1, 2), left_s=st.floats(0, 10))
def test_a_pause_is_within_its_bound_and_within_the_deadline(seed: int, tried: int, left_s: float) -> None:
    pause = pause_s(WORTH_IT[0], tried=tried, left_s=left_s, policy=POLICY, rng=random.Random(seed))
    if pause is not None:
        assert 0 <= pause <= min(POLICY.cap_s, POLICY.base_s * 2 ** (tried - 1))
        assert pause < left_s


@given(seed=st.integers(), tried=st.integers(1, 20))
def test_back_off_never_passes_its_cap(seed: int, tried: int) -> None:
    patient = RetryPolicy(retries=20, base_s=0.5, cap_s=3)
    pause = pause_s(WORTH_IT[0], tried=tried, left_s=60, policy=patient, rng=random.Random(seed))
    assert pause is not None
    assert pause <= 3


def test_jitter_spreads_over_the_whole_bound() -> None:
    rng = random.Random(7)
    pauses = [pause_s(WORTH_IT[0], tried=1, left_s=60, policy=POLICY, rng=rng) or 0 for _ in range(400)]
    assert min(pauses) < 0.05
    assert max(pauses) > 0.45
    assert 0.2 < sum(pauses) / len(pauses) < 0.3


@given(seed=st.integers(), told_s=st.floats(0, 100), left_s=st.floats(0, 100))
def test_nobody_comes_back_before_the_server_asked(seed: int, told_s: float, left_s: float) -> None:
    error = errors.RateLimited("x", retry_after_s=told_s)
    pause = pause_s(error, tried=1, left_s=left_s, policy=POLICY, rng=random.Random(seed))
    if pause is None:
        assert told_s + POLICY.base_s >= left_s
    else:
        assert told_s <= pause < left_s


def test_a_server_that_asks_for_longer_than_there_is_fails_at_once() -> None:
    error = errors.RateLimited("x", retry_after_s=61)
    assert asked_again(error, left_s=60) is None


def test_no_pause_starts_when_the_deadline_is_over() -> None:
    assert asked_again(WORTH_IT[0], left_s=0) is None
    assert asked_again(WORTH_IT[0], left_s=-3) is None
