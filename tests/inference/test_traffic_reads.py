"""What is read of the traffic: standings, users, rolling figures, and whom the sampler may draw."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from inference import selectors
from inference.breaker import Breaker
from inference.budgets import Budget, Prices, Spent, Use
from inference.gateway import Standing
from inference.models import Circuit
from inference.services import traffic
from inference.services.traffic import POLICY
from inference.types import CircuitState, EndpointHealth, EndpointStatus
from tests.inference.endpoints import breaker_now, make_endpoint, open_circuit, passage

# reading


@pytest.mark.django_db
def test_standings_are_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    endpoint = make_endpoint(
        tokens_per_day=100,
        budget_per_day=Decimal(3),
        prompt_price=Decimal("0.5"),
        completion_price=Decimal(2),
    )
    open_circuit(endpoint, due=False)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    prices = Prices(Decimal("0.5"), Decimal(2))
    traffic.record(
        [
            passage(endpoint.pk, use=Use(10, 20), prices=prices),
            passage(endpoint.pk, use=Use(500, 600), prices=prices, ended_at=yesterday),
        ]
    )
    row = Circuit.objects.get()
    plain = make_endpoint()
    with django_assert_num_queries(1):
        standings = selectors.standings_of([endpoint.pk, plain.pk, uuid4()])
    assert standings.keys() == {endpoint.pk, plain.pk}
    standing = standings[endpoint.pk]
    assert standing == Standing(
        breaker=Breaker(CircuitState.OPEN, POLICY.threshold, row.opened_at, row.retry_at),
        budget=Budget(100, Decimal(3)),
        prices=prices,
        spent=Spent(30, Decimal("0.000045")),
    )


@pytest.mark.django_db
def test_an_endpoint_without_limits_or_traffic_stands_well() -> None:
    endpoint = make_endpoint()
    assert selectors.standings_of([endpoint.pk]) == {endpoint.pk: Standing()}


@pytest.mark.django_db
def test_a_user_s_tokens_are_those_of_today() -> None:
    endpoint = make_endpoint()
    traffic.record(
        [
            passage(endpoint.pk, use=Use(1, 2)),
            passage(endpoint.pk, use=Use(3, 4), ended_at=datetime.now(UTC) - timedelta(days=1)),
            passage(endpoint.pk, use=Use(5, 6), user="jon"),
        ]
    )
    assert selectors.tokens_used_today("ane") == 3
    assert selectors.tokens_used_today("jon") == 11
    assert selectors.tokens_used_today("miren") == 0


@pytest.mark.django_db
def test_rolling_figures_are_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    busy, idle, old = make_endpoint(), make_endpoint(), make_endpoint()
    for first in (100, 200, 300):
        traffic.record(
            [passage(busy.pk, first_token_ms=first, duration_ms=first + 500, completion_tokens=25)]
        )
    traffic.record(
        [
            passage(busy.pk, outcome="server", first_token_ms=None, completion_tokens=None),
            passage(busy.pk, outcome="cancelled", first_token_ms=200, completion_tokens=None, queued_ms=500),
            passage(busy.pk, outcome="queue_full", attempts=0, first_token_ms=None),
            passage(idle.pk, outcome="connect", first_token_ms=None, completion_tokens=None),
            passage(old.pk, ended_at=datetime.now(UTC) - timedelta(hours=1)),
        ]
    )
    with django_assert_num_queries(1):
        seen = selectors.recent_traffic(timedelta(minutes=15))
    assert set(seen) == {busy.pk, idle.pk}
    figures = seen[busy.pk]
    assert (figures.requests, figures.outcomes) == (5, {"done": 3, "server": 1, "cancelled": 1})
    assert figures.first_token_ms_p50 == 200
    assert figures.first_token_ms_p95 == pytest.approx(285)
    assert figures.tokens_per_s == pytest.approx(50)
    assert figures.queued_ms == 100
    assert (figures.errors, figures.error_share) == ({"server": 0.2}, 0.2)
    nothing = seen[idle.pk]
    assert (nothing.first_token_ms_p50, nothing.tokens_per_s, nothing.error_share) == (None, None, 1)


# the sampler's pool


@pytest.mark.django_db
def test_an_open_circuit_leaves_the_pool_until_its_trial_is_due(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    fine, failing, due = make_endpoint(), make_endpoint(), make_endpoint()
    open_circuit(failing, due=False)
    open_circuit(due, due=True)
    with django_assert_num_queries(1):
        assert set(selectors.servable_candidates()) == {fine.candidate, due.candidate}
    traffic.claim_trial(due.pk, breaker_now(due), timezone.now() + timedelta(minutes=1))
    assert selectors.servable_candidates() == [fine.candidate]


@pytest.mark.django_db
def test_a_spent_budget_leaves_the_pool_for_the_day() -> None:
    prices = Prices(Decimal(100_000), Decimal(100_000))
    tokens = make_endpoint(tokens_per_day=25)
    money = make_endpoint(budget_per_day=Decimal(2))
    both = make_endpoint(tokens_per_day=26, budget_per_day=Decimal(3))
    never, nothing = make_endpoint(), make_endpoint(tokens_per_day=0)
    assert nothing.candidate not in selectors.servable_candidates()
    yesterday = datetime.now(UTC) - timedelta(days=1)
    for endpoint in (tokens, money, both, never):
        traffic.record([passage(endpoint.pk, prices=prices, ended_at=yesterday)])
    assert set(selectors.servable_candidates()) == {each.candidate for each in (tokens, money, both, never)}
    for endpoint in (tokens, money, both, never):
        traffic.record([passage(endpoint.pk, prices=prices)])
    assert set(selectors.servable_candidates()) == {both.candidate, never.candidate}


@pytest.mark.django_db
def test_a_second_endpoint_keeps_its_candidate_in_the_pool_and_is_the_target() -> None:
    first = make_endpoint()
    second = make_endpoint(first.candidate, health=EndpointHealth.LIVE.value)
    assert selectors.target_for(first.candidate_id).endpoint_id == second.pk
    open_circuit(second, due=False)
    assert selectors.servable_candidates() == [first.candidate]
    assert selectors.target_for(first.candidate_id).endpoint_id == first.pk


@pytest.mark.django_db
def test_a_candidate_with_nothing_left_still_has_a_target() -> None:
    endpoint = make_endpoint(tokens_per_day=0, status=EndpointStatus.DISABLED.value)
    open_circuit(endpoint, due=False)
    assert selectors.target_for(endpoint.candidate_id).endpoint_id == endpoint.pk


@pytest.mark.django_db
def test_an_active_endpoint_is_preferred_to_a_canary_and_these_to_shadows_and_to_what_is_off() -> None:
    off = make_endpoint(status=EndpointStatus.DISABLED.value)
    statuses = (EndpointStatus.SHADOW, EndpointStatus.CANARY, EndpointStatus.ACTIVE)
    for status in statuses:
        better = make_endpoint(off.candidate, status=status.value)
        make_endpoint(off.candidate, status=EndpointStatus.DISABLED.value)
        assert selectors.target_for(off.candidate_id).endpoint_id == better.pk


@pytest.mark.django_db
def test_a_canary_stands_in_for_an_active_endpoint_that_may_not_be_asked_and_a_shadow_does_not() -> None:
    active = make_endpoint()
    open_circuit(active, due=False)
    make_endpoint(active.candidate, status=EndpointStatus.SHADOW.value)
    assert selectors.target_for(active.candidate_id).endpoint_id == active.pk
    assert selectors.canary_shares() == {}
    canary = make_endpoint(active.candidate, status=EndpointStatus.CANARY.value, canary_share=0.25)
    assert selectors.target_for(active.candidate_id).endpoint_id == canary.pk
    assert selectors.canary_shares() == {active.candidate.code: 0.25}
    open_circuit(canary, due=False)
    assert selectors.target_for(active.candidate_id).endpoint_id == active.pk
    assert selectors.canary_shares() == {}


@pytest.mark.django_db
def test_who_is_at_work_is_read_once_in_a_while(
    django_assert_num_queries: DjangoAssertNumQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    active, canary = make_endpoint(), make_endpoint(status=EndpointStatus.CANARY.value, canary_share=0.25)
    known = selectors.at_work()
    assert known.candidates == {each.candidate.code: each.candidate for each in (active, canary)}
    assert known.shares == {canary.candidate.code: 0.25}
    monkeypatch.setattr("inference.selectors.pool.FRESH_S", 3600.0)
    make_endpoint()
    with django_assert_num_queries(0):
        assert selectors.at_work() is known
    monkeypatch.setattr("inference.selectors.pool.FRESH_S", 0.0)
    assert len(selectors.at_work().candidates) == 3
