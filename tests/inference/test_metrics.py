"""What Prometheus reads."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from prometheus_client.parser import text_string_to_metric_families

from inference import errors, metrics
from inference.breaker import Breaker
from inference.budgets import Use
from inference.gateway import Gateway, Standing
from inference.types import CircuitState, Delta, Queued
from tests.inference.scripted import GOOD, Memory, Wire, request_to


def seen(endpoint_id: UUID) -> dict[str, float]:
    """The endpoint's samples, by name, with the kind after a colon."""
    page, _ = metrics.render()
    samples = {}
    for family in text_string_to_metric_families(page.decode()):
        for sample in family.samples:
            if sample.labels.get("endpoint") == str(endpoint_id) and "le" not in sample.labels:
                kind = sample.labels.get("kind")
                samples[sample.name + (f":{kind}" if kind else "")] = sample.value
    return samples


async def read(gateway: Gateway, endpoint_id: UUID, room: int = 1) -> None:
    async for _ in gateway.stream(request_to(endpoint_id, room=room)):
        pass


async def test_a_good_request_shows_its_times_and_tokens() -> None:
    gateway, endpoint_id = Gateway(source=Wire().stream), uuid4()
    await read(gateway, endpoint_id)
    figures = seen(endpoint_id)
    assert figures["lehia_requests_total"] == 1
    assert figures["lehia_first_token_seconds_count"] == 1
    assert figures["lehia_between_tokens_seconds_count"] == 1
    assert (figures["lehia_tokens_total:prompt"], figures["lehia_tokens_total:completion"]) == (5, 2)
    assert (figures["lehia_in_flight"], figures["lehia_circuit_state"]) == (0, 0)
    assert not [name for name in figures if "error" in name]
    await gateway.close()


async def test_errors_are_counted_by_kind() -> None:
    endpoint_id = uuid4()
    gateway = Gateway(source=Wire(((errors.Unauthorized("x"),), (errors.StreamTimeout("x"),))).stream)
    for _ in range(3):
        with pytest.raises(errors.StreamError):
            await read(gateway, endpoint_id)
    figures = seen(endpoint_id)
    assert figures["lehia_errors_total:unauthorized"] == 1
    assert figures["lehia_errors_total:timeout"] == 2
    assert figures["lehia_requests_total"] == 3
    await gateway.close()


async def test_a_cancelled_request_is_no_error() -> None:
    gateway, endpoint_id = Gateway(source=Wire(((Delta("Kai"), asyncio.Event()),)).stream), uuid4()
    async with aclosing(gateway.stream(request_to(endpoint_id))) as events:
        await anext(events)
        assert seen(endpoint_id)["lehia_in_flight"] == 1
    figures = seen(endpoint_id)
    assert (figures["lehia_in_flight"], figures["lehia_requests_total"]) == (0, 1)
    assert not [name for name in figures if "error" in name]
    await gateway.close()


async def test_the_queue_shows_its_length_and_how_long_it_took() -> None:
    more, endpoint_id = asyncio.Event(), uuid4()
    wire = Wire(((more, *GOOD),))
    gateway = Gateway(source=wire.stream)
    first = asyncio.create_task(read(gateway, endpoint_id))
    await wire.begun.wait()
    async with aclosing(gateway.stream(request_to(endpoint_id, room=1))) as events:
        assert await anext(events) == Queued(1)
        assert (seen(endpoint_id)["lehia_queue_length"], seen(endpoint_id)["lehia_in_flight"]) == (1, 1)
        more.set()
        await first
        await anext(events)
        figures = seen(endpoint_id)
    assert (figures["lehia_queue_length"], figures["lehia_queue_wait_seconds_count"]) == (0, 1)
    assert seen(endpoint_id)["lehia_in_flight"] == 0
    await gateway.close()


async def test_an_open_circuit_shows() -> None:
    site, endpoint_id = Memory(), uuid4()
    gateway = Gateway(traffic=site, source=Wire().stream)
    now = datetime.now(UTC)
    site.endpoints[endpoint_id] = Standing(breaker=Breaker().claimed(now, timedelta(hours=1)))
    with pytest.raises(errors.CircuitOpen):
        await read(gateway, endpoint_id)
    assert seen(endpoint_id)["lehia_circuit_state"] == 1
    metrics.circuit(endpoint_id, CircuitState.OPEN)
    assert seen(endpoint_id)["lehia_circuit_state"] == 2
    await gateway.close()


def test_the_page_names_no_more_endpoints_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_labels", {})
    monkeypatch.setattr(metrics, "MOST_ENDPOINTS", 3)
    labels = {metrics.label(uuid4()) for _ in range(10)}
    assert (len(labels), "others" in labels) == (4, True)


def test_the_page_is_in_prometheus_s_format_and_names_endpoints_by_id_alone() -> None:
    endpoint_id = uuid4()
    metrics.ended(endpoint_id, error="server", first_token_s=0.1, between_tokens_s=0.02, use=Use(1, 2))
    page, content_type = metrics.render()
    assert content_type.startswith("text/plain")
    own = [line for line in page.decode().splitlines() if str(endpoint_id) in line]
    names = set(re.findall(r"([a-z]+)=\"", "\n".join(own)))
    assert names == {"endpoint", "kind", "le"}


COUNTS = """
from uuid import UUID
from inference import metrics
from inference.budgets import Use
metrics.ended(UUID(int=7), error=None, first_token_s=None, between_tokens_s=None, use=Use(1, 2))
print(metrics.render()[0].decode())
"""


def test_processes_that_share_a_folder_show_their_sum(tmp_path: Path) -> None:
    shared = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    pages = [
        subprocess.run([sys.executable, "-c", COUNTS], env=shared, capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert f'lehia_tokens_total{{endpoint="{UUID(int=7)}",kind="completion"}} 4.0' in pages[1].stdout
