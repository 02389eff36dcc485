"""Every way a model server can answer, over a real connection."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from uuid import uuid4

import pytest

from inference import errors, gateway
from inference.fakes import FakeModelServer, Fault, fake_model_server
from inference.providers.openai_compatible import close_clients
from inference.types import (
    Deadlines,
    Delta,
    Done,
    FinishReason,
    GenerationRequest,
    Message,
    Provider,
    Role,
    Sampling,
    Target,
)

SHORT = Deadlines(connect_s=2, first_token_s=0.3, between_tokens_s=0.3, total_s=2)


@pytest.fixture(autouse=True)
async def closed_clients() -> AsyncIterator[None]:
    yield
    await close_clients()


def request_to(base_url: str, **changes: object) -> GenerationRequest:
    target = Target(
        endpoint_id=uuid4(), base_url=base_url, model="eredua", provider=Provider.VLLM, api_key="gako-sekretua"
    )
    return GenerationRequest(
        target=replace(target, **changes),
        messages=(Message(Role.SYSTEM, "Euskaraz."), Message(Role.USER, "Kaixo")),
        sampling=Sampling(temperature=0.9, top_p=0.95, max_tokens=64, seed=11, stop=("<|eot_id|>",)),
        request_id="eskaera-1",
    )


async def collect(request: GenerationRequest) -> list[Delta | Done]:
    return [event async for event in gateway.stream(request)]


async def test_a_good_stream_is_deltas_and_one_done() -> None:
    async with fake_model_server(FakeModelServer()) as server:
        events = await collect(request_to(server.base_url))
    assert events == [Delta("Kaixo"), Delta(" mundua"), Done(FinishReason.STOP, 5, 2)]


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


@pytest.mark.parametrize(("told", "reason"), [("length", FinishReason.LENGTH), ("content_filter", FinishReason.OTHER)])
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
        (Fault.HANGS_FIRST, errors.StreamTimeout),
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
    import asyncio

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
    import asyncio

    server = FakeModelServer(gate=asyncio.Event())
    async with fake_model_server(server):
        async with aclosing(gateway.stream(request_to(server.base_url))) as events:
            async for event in events:
                assert event == Delta("Kaixo")
                break
        await server.wait_until(live=0, cancelled=1)


def test_the_key_is_in_no_representation() -> None:
    assert "gako-sekretua" not in repr(request_to("http://127.0.0.1:9/v1"))
