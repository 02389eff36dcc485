"""Looking at servers that do not behave: nothing raises, nothing hangs, nothing is followed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from inference.fakes import FakeModelServer, Fault, fake_model_server
from inference.health import http, look
from inference.health.look import Served, read_models
from inference.health.types import Sight, StepName
from inference.types import Provider, Target

KEY = "sk-gako-oso-sekretua"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def target(
    base_url: str, *, provider: Provider = Provider.VLLM, model: str = "eredua", api_key: str = KEY
) -> Target:
    return Target(endpoint_id=UUID(int=1), base_url=base_url, model=model, provider=provider, api_key=api_key)


@asynccontextmanager
async def answering(handler: Handler) -> AsyncIterator[str]:
    """One handler for every GET, at an address of its own."""
    app = web.Application()
    app.router.add_get("/{rest:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


def said(sight: Sight | look.ServerSight) -> dict[StepName, str]:
    return {step.name: step.said for step in sight.steps}


QUICK = [
    fault
    for fault in Fault
    if not fault.name.startswith("HANGS")
    and fault not in {Fault.FLOOD, Fault.LOOPS, Fault.WHITE_SPACE, Fault.TRICKLE}
]


@pytest.mark.parametrize("fault", QUICK)
async def test_no_fault_of_a_server_raises(fault: Fault) -> None:
    async with fake_model_server(FakeModelServer(fault=fault)) as server:
        sight = await look.look(target(server.base_url))
        await server.wait_until(live=0)
    assert [step.name for step in sight.steps] == list(StepName)
    completion = sight.steps[2]
    assert completion.ok == (sight.error == "") == (sight.first_token_ms is not None)


@pytest.mark.parametrize("fault", [Fault.TRICKLE, Fault.FLOOD, Fault.LOOPS])
async def test_one_token_is_enough_and_the_rest_is_left(fault: Fault) -> None:
    async with fake_model_server(FakeModelServer(fault=fault)) as server:
        sight = await look.look(target(server.base_url))
        await server.wait_until(live=0)
    assert sight.error == ""


async def test_hidden_reasoning_is_a_sign_of_life() -> None:
    async with fake_model_server(
        FakeModelServer(reasons=True, gate=asyncio.Event(), words=("a", "b"))
    ) as server:
        assert (await look.look(target(server.base_url))).error == ""


async def test_every_step_of_a_server_that_is_gone_says_so() -> None:
    async with fake_model_server(FakeModelServer()) as server:
        pass
    sight = await look.look(target(server.base_url))
    assert set(said(sight).values()) == {"connect"}
    assert sight.load is None


async def test_a_page_that_never_comes_ends_in_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "SECONDS", 0.05)

    async def hangs(request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async with answering(hangs) as url:
        sight = await look.look_at_server(target(url))
    assert set(said(sight).values()) == {"timeout"}


async def test_a_body_that_never_ends_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MOST_BYTES", 1_000)

    async def pours(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 700)

    async with answering(pours) as url:
        reply = await http.get(f"{url}/models", target(url))
    assert (reply.status, reply.body) == (200, b"x" * 1_000)


async def test_a_redirect_is_not_followed_with_the_key() -> None:
    asked: list[str] = []

    async def sends_on(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        raise web.HTTPFound("/elsewhere")

    async with answering(sends_on) as url:
        sight = await look.look_at_server(target(url))
    assert set(said(sight).values()) == {"status"}
    assert sorted(asked) == ["/health", "/metrics", "/v1/models"]


@pytest.mark.parametrize(
    ("provider", "header"),
    [(Provider.VLLM, "Authorization"), (Provider.OPENAI, "Authorization"), (Provider.ANTHROPIC, "x-api-key")],
)
@pytest.mark.parametrize("api_key", [KEY, ""])
async def test_the_key_goes_where_the_provider_looks_for_it(
    provider: Provider, header: str, api_key: str
) -> None:
    seen: list[str | None] = []

    async def notes(request: web.Request) -> web.StreamResponse:
        seen.append(request.headers.get(header))
        return web.json_response({"data": []})

    async with answering(notes) as url:
        await http.get(f"{url}/models", target(url, provider=provider, api_key=api_key))
    bearer = "" if provider is Provider.ANTHROPIC else "Bearer "
    assert seen == [f"{bearer}{KEY}" if api_key else None]


async def test_pages_beside_the_chat_are_looked_for_under_the_path_of_the_address() -> None:
    asked: list[str] = []

    async def notes(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.json_response({"data": []})

    async with answering(notes) as url:
        await look.look_at_server(target(f"{url.removesuffix('/v1')}/gpu3/v1"))
    assert sorted(asked) == ["/gpu3/health", "/gpu3/metrics", "/gpu3/v1/models"]


@pytest.mark.parametrize("body", ["", "kaixo", "[]", '{"data": {}}', '{"models": []}', "null", "3"])
async def test_a_list_that_is_none_is_malformed_and_no_failure_of_the_model(body: str) -> None:
    async def lists(request: web.Request) -> web.StreamResponse:
        return web.Response(text=body)

    async with answering(lists) as url:
        sight = await look.look_at_server(target(url))
    assert said(sight)[StepName.MODELS] == "malformed"
    assert said(sight)[StepName.METRICS] == "malformed"
    assert said(sight)[StepName.HEALTH] == ""


def test_models_are_read_with_their_context_where_it_is_told() -> None:
    rows = [
        {"id": "a", "max_model_len": 4096},
        {"id": "b"},
        {"id": "c", "max_model_len": "long"},
        {"id": "d", "max_model_len": -1},
        {"id": 5},
        "e",
    ]
    assert read_models(json.dumps({"data": rows}).encode()) == (
        Served("a", 4096),
        Served("b"),
        Served("c"),
        Served("d"),
    )


def test_a_list_of_thousands_is_cut_and_so_is_a_name() -> None:
    rows = [{"id": f"{number}" + "x" * 1_000} for number in range(5_000)]
    found = read_models(json.dumps({"data": rows}).encode())
    assert found is not None
    assert len(found) == 200
    assert {len(each.name) for each in found} == {400}


@pytest.mark.parametrize(
    ("listed", "model", "is_same"),
    [
        ("models/gemini-x", "gemini-x", True),
        ("gemini-x", "gemini-x", True),
        ("a", "b", False),
        ("a", "", False),
    ],
)
async def test_a_model_is_found_in_the_list_under_either_of_its_names(
    listed: str, model: str, is_same: bool
) -> None:
    async with fake_model_server(FakeModelServer(models=(listed,))) as server:
        sight = await look.look_at_server(target(server.base_url, provider=Provider.GEMINI, model=model))
    assert sight.steps[0].as_json()["listed"] is is_same


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "data", "max_model_len", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode()))
def test_no_list_of_models_raises(body: bytes) -> None:
    found = read_models(body)
    assert found is None or all(isinstance(each.name, str) for each in found)


async def test_a_probe_looks_the_same_whoever_asks() -> None:
    """Its request holds nothing of a volunteer, and asks for four tokens at most."""
    async with fake_model_server(FakeModelServer()) as server:
        await look.look(target(server.base_url))
    body = server.bodies[0]
    assert body["max_tokens"] == 4
    assert [message["content"] for message in body["messages"]] == ["Kaixo!"]
    assert server.headers[0]["x-request-id"].startswith("probe-")
