"""The gateway against a real ``transformers serve``, started by our own preset, on candidates that training made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from inference import errors, gateway, manifest, selectors, services
from inference.models import ModelEndpoint
from inference.types import (
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
from tests.model_server import Server
from tests.training.runs import make_run, recipe, saved_by_trainer, tiny_model
from training.export import job

pytestmark = pytest.mark.model_server

GREEDY = Sampling(temperature=0.0, top_p=1.0, max_tokens=64, seed=1)


@pytest.fixture
def server(model_server: Server) -> Server:
    return model_server


@pytest.fixture(autouse=True)
async def closed_clients() -> AsyncIterator[None]:
    yield
    await gateway.close()


def ask(
    server: Server, *, model: str, sampling: Sampling = GREEDY, text: str = "Kaixo!"
) -> GenerationRequest:
    return GenerationRequest(
        target=Target(uuid4(), server.base_url, model, Provider.TRANSFORMERS),
        messages=(Message(Role.SYSTEM, "Erantzun euskaraz."), Message(Role.USER, text)),
        sampling=sampling,
        request_id=str(uuid4()),
    )


async def answer(request: GenerationRequest) -> tuple[str, Done]:
    events = [event async for event in gateway.stream(request)]
    last = events[-1]
    assert isinstance(last, Done)
    return "".join(event.text for event in events if isinstance(event, Delta)), last


async def test_two_candidates_answer_at_once(server: Server) -> None:
    asked = [answer(ask(server, model=str(model))) for model in server.models[:2]]
    for text, done in await asyncio.gather(*asked):
        assert text.strip()
        assert done.prompt_tokens
        assert done.completion_tokens


async def test_a_seed_gives_the_same_sample_again(server: Server) -> None:
    warm = replace(GREEDY, temperature=1.5, seed=7)
    first = await answer(ask(server, model=server.unsure, sampling=warm))
    others = [
        await answer(ask(server, model=server.unsure, sampling=replace(warm, seed=seed)))
        for seed in (7, 8, 9, 10)
    ]
    assert others[0] == first
    assert any(other != first for other in others[1:])  # temperature is heard


async def test_the_length_limit_is_told(server: Server) -> None:
    _, done = await answer(ask(server, model=str(server.models[0]), sampling=replace(GREEDY, max_tokens=2)))
    assert (done.finish_reason, done.completion_tokens) == (FinishReason.LENGTH, 2)


async def test_a_stop_string_ends_the_answer(server: Server) -> None:
    model = str(server.models[0])
    whole, _ = await answer(ask(server, model=model))
    stopped, done = await answer(
        ask(server, model=model, sampling=replace(GREEDY, stop=(whole.strip()[2:5],)))
    )
    assert len(stopped) < len(whole)
    assert done.finish_reason is FinishReason.STOP


async def test_a_run_that_was_exported_is_served_from_its_folder(server: Server, tmp_path: Path) -> None:
    run = make_run(tmp_path, recipe("txiki_110"), tiny_model(), {1: saved_by_trainer(tiny_model())})
    job.export(job.Request(run))
    warm = Sampling(temperature=0.9, top_p=0.95, max_tokens=5, seed=1)
    _, done = await answer(ask(server, model=str(run / "export"), sampling=warm))
    assert done.completion_tokens
    assert done.completion_tokens <= 5


async def test_a_model_that_is_not_there_is_a_typed_error(server: Server) -> None:
    with pytest.raises(errors.StreamError):
        await answer(ask(server, model="/no/such/folder"))


async def test_after_a_stream_is_closed_the_model_answers_the_next(server: Server) -> None:
    request = ask(
        server, model=str(server.models[0]), sampling=replace(GREEDY, temperature=2.0, max_tokens=400)
    )
    async with aclosing(gateway.stream(request)) as events:
        assert isinstance(await anext(events), Delta)
    text, _ = await answer(ask(server, model=str(server.models[0])))
    assert text.strip()


@pytest.mark.django_db(transaction=True)
async def test_a_registered_manifest_is_probed_live_and_answers(server: Server) -> None:
    def register() -> tuple[ModelEndpoint, Target]:
        endpoint = services.register_candidate(
            manifest=manifest.read(server.models[1] / "candidate.json"), base_url=server.base_url
        )
        try:
            probed = services.probe_endpoint(endpoint_id=endpoint.pk)
            return probed, selectors.target_for(endpoint.candidate_id)
        finally:
            connection.close()  # this thread's own, which would keep the test database from being dropped

    endpoint, target = await sync_to_async(register, thread_sensitive=True)()
    assert (endpoint.health, endpoint.health_detail) == ("live", "")
    assert endpoint.probe_first_token_ms is not None
    text, _ = await answer(replace(ask(server, model=""), target=target))
    assert text.strip()
