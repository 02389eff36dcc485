"""Verdicts on endpoints."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.errors import StreamErrorCode
from inference.health.judge import judge
from inference.health.types import Load, Recent, Sight, Step, StepName, Verdict
from inference.types import EndpointHealth

LIVE, DEGRADED, DOWN = EndpointHealth.LIVE, EndpointHealth.DEGRADED, EndpointHealth.DOWN
GOOD = Sight(first_token_ms=200)
HEALTHY = Step(StepName.HEALTH, ok=True, ms=1)
SICK = Step(StepName.HEALTH, ok=False, ms=1, said="status")


def test_an_answer_is_live() -> None:
    assert judge(GOOD, max_in_flight=8) == Verdict(LIVE, "")


def test_a_closed_side_path_does_not_matter_while_the_model_answers() -> None:
    assert judge(Sight(steps=(SICK,), first_token_ms=9), max_in_flight=8).health is LIVE


@pytest.mark.parametrize(("waiting", "health", "detail"), [(8, LIVE, ""), (9, DEGRADED, "busy")])
def test_more_waiting_than_we_ask_at_once_is_busy(waiting: int, health: EndpointHealth, detail: str) -> None:
    sight = Sight(first_token_ms=200, load=Load(8, waiting))
    assert judge(sight, max_in_flight=8) == Verdict(health, detail)


@pytest.mark.parametrize(
    ("requests", "failures", "detail"), [(4, 4, ""), (5, 2, "errors"), (10, 3, ""), (10, 4, "errors")]
)
def test_many_errors_of_enough_requests_degrade(requests: int, failures: int, detail: str) -> None:
    assert judge(GOOD, max_in_flight=8, recent=Recent(requests, failures)).detail == detail


@pytest.mark.parametrize(
    ("times", "now", "detail"),
    [
        ([100] * 4, 9_000, ""),
        ([100] * 5, 9_000, "slow"),
        ([100] * 5, 2_000, ""),
        ([1_000] * 5, 3_000, ""),
        ([1_000] * 5, 3_001, "slow"),
        ([1_000] * 5 + [90_000], 3_001, "slow"),
    ],
)
def test_far_above_the_usual_time_is_slow(times: list[int], now: int, detail: str) -> None:
    assert judge(Sight(first_token_ms=now), max_in_flight=8, times_ms=times).detail == detail


@pytest.mark.parametrize("code", [StreamErrorCode.EMPTY, StreamErrorCode.RATE_LIMITED])
def test_there_but_without_an_answer_is_degraded(code: StreamErrorCode) -> None:
    assert judge(Sight(error=code), max_in_flight=8) == Verdict(DEGRADED, code)


def test_no_token_in_time_from_a_full_server_is_busy_and_from_an_idle_one_down() -> None:
    def seen(step: Step, load: Load | None) -> Verdict:
        return judge(Sight(steps=(step,), error="timeout", load=load), max_in_flight=8)

    assert seen(HEALTHY, Load(8, 3)) == Verdict(DEGRADED, "busy")
    assert seen(HEALTHY, Load(0, 20)) == Verdict(DEGRADED, "busy")
    assert seen(HEALTHY, Load(0, 0)) == Verdict(DOWN, "timeout")
    assert seen(HEALTHY, None) == Verdict(DOWN, "timeout")
    assert seen(SICK, Load(8, 3)) == Verdict(DOWN, "timeout")


sights = st.builds(
    Sight,
    steps=st.sampled_from([(), (HEALTHY,), (SICK,)]),
    first_token_ms=st.none() | st.integers(0, 60_000),
    error=st.sampled_from(["", *(code.value for code in StreamErrorCode)]),
    load=st.none() | st.builds(Load, st.integers(0, 50), st.integers(0, 50), st.none()),
)


@given(sights, st.lists(st.integers(0, 60_000), max_size=30), st.integers(0, 40), st.integers(0, 40))
def test_down_only_where_the_model_itself_failed(sight: Sight, times: list[int], good: int, bad: int) -> None:
    verdict = judge(sight, max_in_flight=8, times_ms=times, recent=Recent(good + bad, bad))
    assert verdict.health is not EndpointHealth.UNKNOWN
    assert (verdict.health is DOWN) <= bool(sight.error)
    assert (verdict.health is LIVE) <= (not sight.error)
    assert (verdict.detail == "") == (verdict.health is LIVE)
