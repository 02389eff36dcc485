"""Every way a model server can answer, over a real connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from uuid import uuid4

import pytest

from inference import errors, gateway, providers
from inference.fakes import FakeModelServer, Fault, fake_model_server
from inference.types import (
    Deadlines,
    Delta,
    Done,
    FinishReason,
    GenerationRequest,
    Message,
    Provider,
    Reasoning,
    Role,
    Sampling,
    Target,
)
from tests.inference.asking import said

LONG = Deadlines()
SHORT = Deadlines(connect_s=2, first_token_s=0.3, between_tokens_s=0.3, total_s=2)


@pytest.fixture(autouse=True)
async def closed_clients() -> AsyncIterator[None]:
    yield
    await gateway.close()


def request_to(base_url: str, deadlines: Deadlines = LONG) -> GenerationRequest:
    target = Target(
        endpoint_id=uuid4(),
        base_url=base_url,
        model="eredua",
        provider=Provider.VLLM,
        api_key="gako-sekretua",
    )
    return GenerationRequest(
        target=replace(target, deadlines=deadlines),
        messages=(Message(Role.SYSTEM, "Euskaraz."), Message(Role.USER, "Kaixo")),
        sampling=Sampling(temperature=0.9, top_p=0.95, max_tokens=64, seed=11, stop=("<|eot_id|>",)),
        request_id="eskaera-1",
    )


async def collect(request: GenerationRequest) -> list[Reasoning | Delta | Done]:
    return [event async for event in providers.stream(request)]


async def test_a_good_stream_is_deltas_and_one_done() -> None:
    async with fake_model_server(FakeModelServer()) as server:
        events = await collect(request_to(server.base_url))
    assert said(events) == "Kaixo mundua"
    assert all(isinstance(event, Delta) for event in events[:-1])
    assert events[-1] == Done(FinishReason.STOP, 5, 2)


async def test_everything_that_shapes_the_sample_is_sent() -> None:
    async with fake_model_server(FakeModelServer()) as server:
        await collect(request_to(server.base_url))
    body, headers = server.bodies[0], server.headers[0]
    assert body == {
        "model": "eredua",
        "messages": [{"role": "system", "content": "Euskaraz."}, {"role": "user", "content": "Kaixo"}],
        "temperature": 0.9,
        "top_p": 0.95,
        "max_tokens": 64,
        "seed": 11,
        "stop": ["<|eot_id|>"],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert headers["x-request-id"] == "eskaera-1"
    assert headers["authorization"] == "Bearer gako-sekretua"


@pytest.mark.parametrize(
    ("told", "reason"), [("length", FinishReason.LENGTH), ("content_filter", FinishReason.OTHER)]
)
async def test_the_finish_reason_is_kept(told: str, reason: FinishReason) -> None:
    async with fake_model_server(FakeModelServer(finish_reason=told)) as server:
        events = await collect(request_to(server.base_url))
    last = events[-1]
    assert isinstance(last, Done)
    assert last.finish_reason is reason


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.UNAUTHORIZED, errors.Unauthorized),
        (Fault.NOT_FOUND, errors.ModelNotFound),
        (Fault.RATE_LIMITED, errors.RateLimited),
        (Fault.BROKEN, errors.ServerFailed),
        (Fault.UNAVAILABLE, errors.ServerFailed),
        (Fault.BAD_REQUEST, errors.BadRequest),
        (Fault.REDIRECT, errors.ConnectFailed),
        (Fault.IN_BAND, errors.ServerFailed),
        (Fault.EMPTY_BODY, errors.MalformedStream),
        (Fault.EMPTY_ANSWER, errors.EmptyAnswer),
        (Fault.GARBAGE, errors.MalformedStream),
        (Fault.DIES, errors.MalformedStream),
        (Fault.NO_END, errors.MalformedStream),
        (Fault.BAD_UTF8, errors.MalformedStream),
        (Fault.NOT_A_STREAM, errors.MalformedStream),
        (Fault.REFUSES_IN_BAND, errors.ServerFailed),
        (Fault.HANGS_FIRST, errors.StreamTimeout),
        (Fault.HANGS_AFTER_ROLE, errors.StreamTimeout),
        (Fault.HANGS_BETWEEN, errors.StreamTimeout),
    ],
)
async def test_every_fault_has_its_typed_error(fault: Fault, error: type[errors.StreamError]) -> None:
    async with fake_model_server(FakeModelServer(fault=fault)) as server:
        with pytest.raises(error) as caught:
            await collect(request_to(server.base_url, deadlines=SHORT))
    assert "gako-sekretua" not in str(caught.value)
    assert server.base_url not in str(caught.value)
    assert server.requests == 1  # nothing is retried behind our back, and no redirect is followed


async def test_the_total_deadline_ends_a_trickle() -> None:
    server = FakeModelServer(gate=asyncio.Event())
    async with fake_model_server(server):
        limits = Deadlines(connect_s=2, first_token_s=2, between_tokens_s=2, total_s=0.3)
        with pytest.raises(errors.StreamTimeout):
            await collect(request_to(server.base_url, deadlines=limits))


async def test_retry_after_is_told() -> None:
    async with fake_model_server(FakeModelServer(fault=Fault.RATE_LIMITED)) as server:
        with pytest.raises(errors.RateLimited) as caught:
            await collect(request_to(server.base_url))
    assert caught.value.retry_after_s == 7


async def test_a_server_that_is_not_there_is_a_connect_error() -> None:
    with pytest.raises(errors.ConnectFailed):
        await collect(request_to("http://127.0.0.1:9/v1"))


async def test_closing_the_stream_reaches_the_server() -> None:
    server = FakeModelServer(gate=asyncio.Event())
    async with fake_model_server(server):
        async with aclosing(providers.stream(request_to(server.base_url))) as events:
            async for event in events:
                assert event == Delta("Kaixo")
                break
        await server.wait_until(live=0, cancelled=1)


def test_the_key_is_in_no_representation() -> None:
    assert "gako-sekretua" not in repr(request_to("http://127.0.0.1:9/v1"))


async def test_a_role_alone_does_not_move_the_first_deadline() -> None:
    async with fake_model_server(FakeModelServer(fault=Fault.HANGS_AFTER_ROLE)) as server:
        patient_later = Deadlines(connect_s=2, first_token_s=0.3, between_tokens_s=3600, total_s=3600)
        with pytest.raises(errors.StreamTimeout):
            await collect(request_to(server.base_url, deadlines=patient_later))


async def test_a_deadline_never_cancels_the_reader() -> None:
    server = FakeModelServer(gate=asyncio.Event())
    async with fake_model_server(server):
        limits = Deadlines(connect_s=2, first_token_s=2, between_tokens_s=0.05, total_s=0.2)
        async with aclosing(providers.stream(request_to(server.base_url, deadlines=limits))) as events:
            assert await anext(events) == Delta("Kaixo")
            past_every_deadline = asyncio.Event()
            asyncio.get_running_loop().call_later(0.4, past_every_deadline.set)
            await past_every_deadline.wait()  # a timer of the stream that fires here would cancel this test
            with pytest.raises(errors.StreamTimeout):
                await anext(events)


async def test_reasoning_is_never_shown() -> None:
    async with fake_model_server(FakeModelServer(reasons=True)) as server:
        events = await collect(request_to(server.base_url))
    assert said(events) == "Kaixo mundua"


async def test_reasoning_alone_is_an_empty_answer() -> None:
    async with fake_model_server(FakeModelServer(reasons=True, words=())) as server:
        with pytest.raises(errors.EmptyAnswer):
            await collect(request_to(server.base_url))


async def test_white_space_alone_is_an_empty_answer() -> None:
    async with fake_model_server(FakeModelServer(words=(" ", "\n"))) as server:
        with pytest.raises(errors.EmptyAnswer):
            await collect(request_to(server.base_url))


async def test_cancelling_the_reader_reaches_the_server() -> None:
    server = FakeModelServer(gate=asyncio.Event())
    async with fake_model_server(server):
        task = asyncio.create_task(collect(request_to(server.base_url)))
        await server.wait_until(live=1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.wait_until(live=0, cancelled=1)


async def test_one_side_that_is_cancelled_leaves_the_other_alone() -> None:
    server = FakeModelServer(gate=asyncio.Event())
    async with fake_model_server(server):
        stays = asyncio.create_task(collect(request_to(server.base_url)))
        await server.wait_until(live=1)
        leaves = asyncio.create_task(collect(request_to(server.base_url)))
        await server.wait_until(live=2)
        leaves.cancel()
        await server.wait_until(live=1, cancelled=1)
        assert server.gate is not None
        server.gate.set()
        events = await stays
    assert events[-1] == Done(FinishReason.STOP, 5, 2)


async def test_a_proxy_in_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with fake_model_server(FakeModelServer()) as server:
        assert await collect(request_to(server.base_url))


@pytest.mark.parametrize("provider", [each for each in Provider if each is not Provider.ANTHROPIC])
async def test_usage_is_asked_for_where_the_server_needs_asking(provider: Provider) -> None:
    async with fake_model_server(FakeModelServer()) as server:
        request = request_to(server.base_url)
        await collect(replace(request, target=replace(request.target, provider=provider)))
    assert ("stream_options" in server.bodies[0]) == (provider is not Provider.TRANSFORMERS)


async def test_no_request_travels_on_a_connection_that_may_be_closing() -> None:
    async with fake_model_server(FakeModelServer()) as server:
        for _ in range(3):
            await collect(request_to(server.base_url))
    assert len(server.peers) == server.requests == 3


async def test_more_streams_than_a_default_pool_run_at_once() -> None:
    server = FakeModelServer(gate=asyncio.Event())
    async with fake_model_server(server):
        streams = [asyncio.create_task(collect(request_to(server.base_url))) for _ in range(120)]
        await server.wait_until(live=120)
        assert server.gate is not None
        server.gate.set()
        assert {events[-1] for events in await asyncio.gather(*streams)} == {Done(FinishReason.STOP, 5, 2)}
