"""The circuit breaker, alone and under any sequence of events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from inference.breaker import Admission, Breaker, BreakerPolicy, Verdict, verdict_on
from inference.errors import StreamErrorCode
from inference.types import CircuitState

START = datetime(2026, 11, 25, 12, tzinfo=UTC)
POLICY = BreakerPolicy(threshold=3, pause=timedelta(seconds=10), cap=timedelta(seconds=60))
LEASE = timedelta(seconds=100)


def after(breaker: Breaker, *verdicts: Verdict, now: datetime = START, trial: bool = False) -> Breaker:
    for verdict in verdicts:
        breaker = breaker.after(verdict, trial=trial, now=now, policy=POLICY)
    return breaker


def opened() -> Breaker:
    return after(Breaker(), *[Verdict.FAILED] * POLICY.threshold)


def test_failures_in_a_row_open_a_circuit() -> None:
    almost = after(Breaker(), *[Verdict.FAILED] * 2)
    assert (almost.state, almost.admission(START)) == (CircuitState.CLOSED, Admission.YES)
    breaker = after(almost, Verdict.FAILED)
    assert breaker == Breaker(CircuitState.OPEN, 3, START, START + POLICY.pause)
    assert breaker.admission(START) is Admission.NO


def test_a_success_between_failures_starts_the_count_again() -> None:
    breaker = after(Breaker(), Verdict.FAILED, Verdict.FAILED, Verdict.WORKED, Verdict.FAILED, Verdict.FAILED)
    assert breaker == Breaker(failures=2)


def test_what_tells_nothing_moves_nothing() -> None:
    failing = after(Breaker(), Verdict.FAILED)
    assert after(failing, Verdict.NOTHING) == failing


def test_a_refusal_opens_it_at_once() -> None:
    assert after(Breaker(), Verdict.REFUSED).state is CircuitState.OPEN


def test_a_trial_is_due_when_the_pause_is_over_and_then_nobody_else_passes() -> None:
    breaker = opened()
    due = START + POLICY.pause
    assert breaker.admission(due - timedelta(microseconds=1)) is Admission.NO
    assert breaker.admission(due) is Admission.TRIAL
    claimed = breaker.claimed(due, LEASE)
    assert claimed.state is CircuitState.HALF_OPEN
    assert claimed.admission(due) is Admission.NO
    assert claimed.admission(due + LEASE) is Admission.TRIAL  # the first was never heard of again


def test_a_trial_that_works_closes_it() -> None:
    assert after(opened().claimed(START, LEASE), Verdict.WORKED, trial=True) == Breaker()


def test_each_trial_that_fails_doubles_the_pause_up_to_the_cap() -> None:
    breaker, pauses = opened(), []
    for _ in range(5):
        breaker = after(breaker.claimed(START, LEASE), Verdict.FAILED, trial=True)
        assert breaker.retry_at is not None
        pauses.append((breaker.retry_at - START).total_seconds())
        assert breaker.opened_at == START
    assert pauses == [20, 40, 60, 60, 60]


def test_a_trial_that_tells_nothing_is_given_to_the_next_request() -> None:
    breaker = after(opened().claimed(START, LEASE), Verdict.NOTHING, trial=True)
    assert (breaker.state, breaker.admission(START), breaker.failures) == (
        CircuitState.OPEN,
        Admission.TRIAL,
        POLICY.threshold,
    )


@pytest.mark.parametrize("verdict", list(Verdict))
def test_requests_that_began_before_it_opened_move_nothing(verdict: Verdict) -> None:
    assert after(opened(), verdict) == opened()
    claimed = opened().claimed(START, LEASE)
    assert after(claimed, verdict) == claimed


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (StreamErrorCode.CONNECT, Verdict.FAILED),
        (StreamErrorCode.TIMEOUT, Verdict.FAILED),
        (StreamErrorCode.SERVER, Verdict.FAILED),
        (StreamErrorCode.MALFORMED, Verdict.FAILED),
        (StreamErrorCode.UNAUTHORIZED, Verdict.REFUSED),
        (StreamErrorCode.MODEL_NOT_FOUND, Verdict.REFUSED),
        (StreamErrorCode.EMPTY, Verdict.WORKED),
        (StreamErrorCode.BAD_REQUEST, Verdict.NOTHING),
        (StreamErrorCode.RATE_LIMITED, Verdict.NOTHING),
        (StreamErrorCode.QUEUE_FULL, Verdict.NOTHING),
        (StreamErrorCode.CIRCUIT_OPEN, Verdict.NOTHING),
        (StreamErrorCode.BUDGET, Verdict.NOTHING),
    ],
)
def test_which_errors_tell_against_an_endpoint(code: StreamErrorCode, verdict: Verdict) -> None:
    assert verdict_on(code) is verdict


def test_pauses_stay_finite_after_a_year_of_failures() -> None:
    assert POLICY.pause_after(10**9) == POLICY.cap


class Endpoint(RuleBasedStateMachine):
    """Requests that start, end and vanish while the clock goes on; a model of what may be in flight stands beside the breaker."""

    @initialize()
    def begin(self) -> None:
        self.now = START
        self.breaker = Breaker()
        self.trial_until: datetime | None = None
        self.failures = 0

    def _end(self, verdict: Verdict, *, trial: bool) -> None:
        self.breaker = self.breaker.after(verdict, trial=trial, now=self.now, policy=POLICY)

    @rule(seconds=st.integers(0, 200))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(verdict=st.sampled_from(list(Verdict)))
    def a_usual_request_ends(self, verdict: Verdict) -> None:
        before = self.breaker
        self._end(verdict, trial=False)
        if before.state is not CircuitState.CLOSED:
            assert self.breaker == before
        elif verdict is Verdict.WORKED:
            self.failures = 0
        elif verdict is not Verdict.NOTHING:
            self.failures += 1
            opens = self.failures >= POLICY.threshold or verdict is Verdict.REFUSED
            assert (self.breaker.state is CircuitState.OPEN) == opens

    @precondition(lambda self: self.breaker.admission(self.now) is Admission.TRIAL)
    @rule()
    def a_trial_starts(self) -> None:
        assert self.trial_until is None or self.trial_until <= self.now  # never two at once
        self.breaker = self.breaker.claimed(self.now, LEASE)
        self.trial_until = self.now + LEASE

    @precondition(lambda self: self.trial_until is not None and self.now < self.trial_until)
    @rule(verdict=st.sampled_from(list(Verdict)))
    def the_trial_ends(self, verdict: Verdict) -> None:
        self.trial_until = None
        self._end(verdict, trial=True)
        if verdict is Verdict.WORKED:
            assert self.breaker == Breaker()
            self.failures = 0
        else:
            assert self.breaker.state is CircuitState.OPEN

    @invariant()
    def it_says_when_it_may_be_tried(self) -> None:
        closed = self.breaker.state is CircuitState.CLOSED
        assert closed == (self.breaker.retry_at is None) == (self.breaker.opened_at is None)

    @invariant()
    def it_passes_all_when_closed_and_nobody_at_once_otherwise(self) -> None:
        closed = self.breaker.state is CircuitState.CLOSED
        assert (self.breaker.admission(self.now) is Admission.YES) == closed

    @invariant()
    def no_pause_is_longer_than_the_cap_and_the_lease(self) -> None:
        if self.breaker.retry_at is not None:
            longest = LEASE if self.breaker.state is CircuitState.HALF_OPEN else POLICY.cap
            assert self.breaker.retry_at - self.now <= longest


TestEndpoint = Endpoint.TestCase
