"""Probes of whole servers, stored in the database."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection
from pytest_django import Settings

from inference import services
from inference.fakes import FakeModelServer, Fault
from inference.health import judge
from inference.health.types import Sight
from inference.models import Generation, ModelEndpoint
from inference.services import probes
from inference.types import EndpointStatus, Provider, Target
from tests.inference.background import served

pytestmark = pytest.mark.django_db
KEY = "sk-gako-oso-sekretua"


def add(
    server: FakeModelServer, *, provider: Provider = Provider.VLLM, model: str = "eredua"
) -> ModelEndpoint:
    return services.add_endpoint(
        base_url=server.base_url, model=model, name=f"Izena {server.port}", api_key=KEY, provider=provider
    )


def step(endpoint: ModelEndpoint, name: str) -> dict[str, Any]:
    return next(each for each in endpoint.probe["steps"] if each["step"] == name)


def request_of(endpoint: ModelEndpoint, outcome: str, **fields: Any) -> Generation:
    given = {"duration_ms": 1_000, "first_token_ms": 100, "completion_tokens": 45} | fields
    return Generation.objects.create(endpoint=endpoint, request_id="r", outcome=outcome, **given)


def test_every_step_is_taken_and_stored() -> None:
    server = FakeModelServer(models=("bestea", "eredua"), waiting=3)
    with served(server):
        endpoint = services.probe_endpoint(endpoint_id=add(server).pk)
    endpoint.refresh_from_db()
    assert (endpoint.health, endpoint.health_detail) == ("live", "")
    assert [each["step"] for each in endpoint.probe["steps"]] == ["health", "models", "completion", "metrics"]
    assert step(endpoint, "models")["count"] == 2
    assert step(endpoint, "models")["listed"] is True
    assert endpoint.waiting == endpoint.probe["load"]["waiting"] == 3
    assert endpoint.running is not None
    assert endpoint.probe["times_ms"] == [endpoint.probe_first_token_ms]
    assert endpoint.health_checked_at is not None


def test_a_model_that_is_not_listed_but_answers_is_live_and_it_is_said() -> None:
    server = FakeModelServer(models=("bestea",))
    with served(server):
        endpoint = services.probe_endpoint(endpoint_id=add(server).pk)
    assert endpoint.health == "live"
    assert step(endpoint, "models")["listed"] is False


@pytest.mark.parametrize(
    ("provider", "steps"),
    [
        (Provider.OPENAI, ["models", "completion"]),
        (Provider.COHERE, ["completion"]),
        (Provider.OLLAMA, ["health", "models", "completion"]),
        (Provider.TRANSFORMERS, ["health", "completion"]),
    ],
)
def test_only_paths_that_the_provider_has_are_asked(provider: Provider, steps: list[str]) -> None:
    server = FakeModelServer()
    with served(server):
        endpoint = services.probe_endpoint(endpoint_id=add(server, provider=provider).pk)
    assert [each["step"] for each in endpoint.probe["steps"]] == steps
    assert "/metrics" not in server.pages


def test_what_a_probe_stores_names_no_address_and_no_key() -> None:
    broken = FakeModelServer(fault=Fault.BROKEN)
    with served(broken):
        add(broken)
        services.probe_endpoints()
    endpoint = ModelEndpoint.objects.get()
    seen = json.dumps(endpoint.probe)
    assert endpoint.health == "down"
    assert step(endpoint, "health") == {"step": "health", "ok": False, "said": "status", "status": 503} | {
        "ms": step(endpoint, "health")["ms"]
    }
    for secret in (KEY, "127.0.0.1", str(broken.port), "eredua"):
        assert secret not in seen


def test_a_long_queue_degrades_and_an_empty_one_heals() -> None:
    server = FakeModelServer(waiting=50)
    with served(server):
        endpoint = services.probe_endpoint(endpoint_id=add(server).pk)
        assert (endpoint.health, endpoint.health_detail, endpoint.waiting) == ("degraded", "busy", 50)
        server.waiting = 0
        assert services.probe_endpoint(endpoint_id=endpoint.pk).health == "live"


def test_many_failed_requests_degrade() -> None:
    server = FakeModelServer()
    with served(server):
        endpoint = add(server)
        for outcome in ("done", "done", "server", "timeout", "cancelled"):
            request_of(endpoint, outcome)
        assert services.probe_endpoint(endpoint_id=endpoint.pk).health_detail == "errors"


def test_a_time_far_above_the_usual_of_thirty_probes_degrades(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "_SLOW_LEAST_MS", 0)
    server = FakeModelServer()
    with served(server):
        endpoint = add(server)
        endpoint.probe = {"times_ms": [-1] * 30}  # so that any answer is late
        endpoint.save()
        seen = services.probe_endpoint(endpoint_id=endpoint.pk)
    assert (seen.health, seen.health_detail) == ("degraded", "slow")
    assert seen.probe["times_ms"] == [-1] * 29 + [seen.probe_first_token_ms]


def test_a_hung_server_delays_no_other() -> None:
    asked = asyncio.Event()
    hung, good = FakeModelServer(fault=Fault.HANGS_SILENT), FakeModelServer(gate=asked)

    async def go_on() -> None:
        """The good one ends after the hung one was asked: between two that are seen nobody asks anything."""
        await hung.wait_until(live=1)
        asked.set()

    with served(hung, good) as loop:
        ours = {add(each).pk: each for each in (hung, good)}
        going_on = asyncio.run_coroutine_threadsafe(go_on(), loop)
        found = probes.seen(list(ModelEndpoint.objects.all()))
        first, sight = next(found)
        assert ours[first.pk] is good
        assert sight.error == ""
        going_on.result(10)
        found.close()  # leaves the hung server too
        asyncio.run_coroutine_threadsafe(hung.wait_until(live=0), loop).result(10)


def test_no_more_than_so_many_are_looked_at_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    under_way, most = 0, 0

    async def looks(_: Target) -> Sight:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        for _turn in range(50):  # whoever may begin meanwhile does
            await asyncio.sleep(0)
        under_way -= 1
        return Sight(first_token_ms=1)

    monkeypatch.setattr(probes, "look", looks)
    for number in range(12):
        services.add_endpoint(base_url="http://127.0.0.1:9/v1", model=f"eredua-{number}")
    monkeypatch.setattr(probes, "target_of", lambda _: None)
    monkeypatch.setattr(asyncio, "to_thread", _at_once)
    assert len(list(probes.seen(list(ModelEndpoint.objects.all()), at_once=3))) == 12
    assert most == 3


async def _at_once(function: Callable[..., Any], *arguments: Any) -> Any:
    """Threads would begin when they like."""
    return function(*arguments)


def test_a_resolver_that_fails_changes_no_health(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.LEHIA_MODEL_HOSTS = ("ereduak.example",)
    server = FakeModelServer()
    with served(server):
        first = services.probe_endpoint(endpoint_id=add(server).pk)
    ModelEndpoint.objects.filter(pk=first.pk).update(base_url="http://ereduak.example/v1")
    before = ModelEndpoint.objects.get()

    def fails(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "try again")

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    after = services.probe_endpoint(endpoint_id=before.pk)
    after.refresh_from_db()
    assert (after.health, after.health_checked_at) == ("live", before.health_checked_at)
    assert after.probe["hindrance"] == "resolver"


@pytest.mark.parametrize("detail", ["refused", "key_unreadable"])
def test_what_can_never_answer_is_down(detail: str, settings: Settings) -> None:
    endpoint = services.add_endpoint(base_url="http://127.0.0.1:9/v1", model="gpt", api_key=KEY)
    if detail == "refused":
        ModelEndpoint.objects.update(base_url="http://10.0.0.1/v1")
    else:
        settings.LEHIA_FIELD_KEYS = ("MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA=",)
    seen = services.probe_endpoint(endpoint_id=endpoint.pk)
    assert (seen.health, seen.health_detail) == ("down", detail)


def test_a_database_that_fails_marks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    server = FakeModelServer()
    with served(server):
        endpoint = add(server)

        def fails(*_: object, **__: object) -> None:
            raise OperationalError("gone")

        monkeypatch.setattr(ModelEndpoint, "save", fails)
        with pytest.raises(OperationalError):
            services.probe_endpoints()
    endpoint.refresh_from_db()
    assert (endpoint.health, endpoint.health_checked_at) == ("unknown", None)


def test_what_is_off_is_not_probed() -> None:
    server = FakeModelServer()
    with served(server):
        for number, status in enumerate(EndpointStatus):
            endpoint = add(server, model=f"eredua-{number}")
            ModelEndpoint.objects.filter(pk=endpoint.pk).update(status=status.value)
        assert services.probe_endpoints() == 3
    probed = ModelEndpoint.objects.exclude(health="unknown").values_list("status", flat=True)
    assert sorted(probed) == ["active", "canary", "shadow"]


@pytest.mark.django_db(transaction=True)
def test_two_processes_do_not_probe_at_once() -> None:
    services.add_endpoint(base_url="http://127.0.0.1:9/v1", model="gpt")
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [probes._LOCK])
            assert services.probe_endpoints() == 0
            cursor.execute("SELECT pg_advisory_unlock(%s)", [probes._LOCK])
        assert services.probe_endpoints() == 1
    finally:
        other.close()
