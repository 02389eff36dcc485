"""The gateway against real vLLM: streams, typed errors, cancellation, metrics, adapters, request ids."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from inference import errors, gateway
from inference.types import Delta, Done, FinishReason, GenerationRequest, Message, Role, Sampling, Target
from tests.vllm.conftest import ADAPTERS, CONTEXT, KEY, QUESTION, Served, asked, greedy

pytestmark = pytest.mark.django_db(transaction=True)

RAMBLES = ADAPTERS[0]  # weights by chance seldom find an end
ENDED = "vllm:request_success_total"  # of those that were left nothing is counted
Targets = dict[str, Target]


@pytest.fixture(autouse=True)
async def closed_clients() -> AsyncIterator[None]:
    yield
    await gateway.close()


def asking(
    target: Target, text: str = QUESTION, *, temperature: float = 0.9, max_tokens: int = 48, seed: int = 1
) -> GenerationRequest:
    return GenerationRequest(
        target=target,
        messages=(Message(Role.USER, text),),
        sampling=Sampling(temperature=temperature, top_p=0.95, max_tokens=max_tokens, seed=seed),
        request_id=str(uuid4()),
        user="proba",
    )


async def answer(request: GenerationRequest) -> tuple[list[str], Done]:
    pieces, done = [], None
    async with aclosing(gateway.stream(request)) as events:
        async for event in events:
            if isinstance(event, Delta):
                pieces.append(event.text)
            elif isinstance(event, Done):
                done = event
    assert done is not None
    return pieces, done


async def text_of(request: GenerationRequest) -> str:
    return "".join((await answer(request))[0])


async def metrics(target: Target) -> dict[str, float]:
    """A server's gauges and counters, summed over their labels."""
    root = target.base_url.removesuffix("/v1")
    async with aiohttp.ClientSession() as session, session.get(f"{root}/metrics") as got:
        families = list(text_string_to_metric_families(await got.text()))
    found: dict[str, float] = {}
    for sample in (sample for family in families for sample in family.samples):
        found[sample.name] = found.get(sample.name, 0) + sample.value
    return found


async def until_running(target: Target, wanted: bool) -> float:
    """Seconds until the server reports requests at work, or none: it tells only when it is asked."""
    started = time.perf_counter()
    async with asyncio.timeout(20):
        while ((await metrics(target))["vllm:num_requests_running"] > 0) is not wanted:  # noqa: ASYNC110  # no event of ours
            await asyncio.sleep(0.02)  # between two questions
    return time.perf_counter() - started


# ---- streams


async def test_answers_stream_piece_by_piece_with_the_servers_own_counts(targets: Targets) -> None:
    pieces, _ = await answer(asking(targets[RAMBLES], max_tokens=200))
    assert len(pieces) > 3
    assert all(pieces)
    _, done = await answer(asking(targets[RAMBLES], max_tokens=12))
    assert done.completion_tokens == 12
    assert done.finish_reason is FinishReason.LENGTH
    assert done.prompt_tokens


async def test_a_trained_candidate_knows_on_vllm_what_it_learnt(targets: Targets) -> None:
    pieces, done = await answer(asking(targets["txiki_110"], temperature=0))
    assert "Paris" in "".join(pieces)
    assert done.finish_reason is FinishReason.STOP


async def test_the_prompt_is_what_the_candidates_own_template_makes(targets: Targets, served: Served) -> None:
    _, done = await answer(asking(targets["txiki_110"], max_tokens=1))
    _, inputs = asked(served.folders["txiki_110"])
    assert done.prompt_tokens == inputs["input_ids"].shape[1]


async def test_the_seed_decides(targets: Targets) -> None:
    target = targets["txiki_100"]
    first, again, other = [await text_of(asking(target, seed=seed)) for seed in (1, 1, 2)]
    assert first == again
    assert first != other


async def test_many_answers_at_once_over_both_servers_are_all_whole(targets: Targets) -> None:
    requests = [asking(targets[name], seed=n) for n in range(8) for name in ("txiki_100", "lora_bat")]
    found = await asyncio.gather(*(answer(each) for each in requests))
    assert all(done.completion_tokens for _, done in found)


# ---- errors


async def test_a_wrong_key_is_unauthorized(targets: Targets) -> None:
    with pytest.raises(errors.Unauthorized):
        await answer(asking(replace(targets["txiki_110"], api_key="sk-beste-bat")))


async def test_another_models_name_is_not_found(targets: Targets) -> None:
    with pytest.raises(errors.ModelNotFound):
        await answer(asking(replace(targets["txiki_110"], model="txiki_999")))


async def test_a_chat_longer_than_the_context_is_a_bad_request(targets: Targets) -> None:
    with pytest.raises(errors.BadRequest):
        await answer(asking(targets["txiki_110"], "bai " * CONTEXT))


async def test_a_server_that_is_not_there_is_a_failed_connection(targets: Targets) -> None:
    with pytest.raises(errors.ConnectFailed):
        await answer(asking(replace(targets["txiki_110"], base_url="http://127.0.0.1:9/v1")))


# ---- cancellation and metrics


async def test_leaving_streams_frees_their_requests_on_the_server(targets: Targets) -> None:
    target = targets[RAMBLES]
    before = await metrics(target)
    streams = [gateway.stream(asking(target, max_tokens=1900, seed=seed)) for seed in range(8)]
    async with AsyncExitStack() as opened:
        events = [await opened.enter_async_context(aclosing(each)) for each in streams]
        await asyncio.gather(*(anext(each) for each in events))
        await until_running(target, wanted=True)
    freed_s = await until_running(target, wanted=False)
    after = await metrics(target)
    ended, wrote = (after[name] - before[name] for name in (ENDED, "vllm:generation_tokens_total"))
    print(
        f"{ended:.0f} of 8 ended by themselves; the rest freed in {freed_s * 1000:.0f} ms, after {wrote:.0f} tokens in all"
    )
    assert ended < 8


async def test_metrics_tell_what_ran(targets: Targets) -> None:
    target = targets["txiki_110"]
    before = await metrics(target)
    _, done = await answer(asking(target))
    after = await metrics(target)
    assert (after["vllm:num_requests_running"], after["vllm:num_requests_waiting"]) == (0, 0)
    assert (
        after["vllm:generation_tokens_total"] - before["vllm:generation_tokens_total"]
        == done.completion_tokens
    )
    assert after["vllm:prompt_tokens_total"] - before["vllm:prompt_tokens_total"] == done.prompt_tokens


# ---- adapters


async def test_two_adapters_share_their_backbones_server_and_answer_each_in_its_way(targets: Targets) -> None:
    names = ("txiki_110", *ADAPTERS)
    assert len({targets[name].base_url for name in names}) == 1
    assert targets["txiki_100"].base_url != targets["txiki_110"].base_url
    found = [await text_of(asking(targets[name], temperature=0)) for name in names]
    assert len(set(found)) == 3


async def test_the_server_lists_backbone_and_adapters(targets: Targets, served: Served) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"{targets['txiki_110'].base_url}/models") as got,
    ):
        listed = {each["id"]: each["root"] for each in (await got.json())["data"]}
    assert listed == {name: str(served.folders[name]) for name in ("txiki_110", *ADAPTERS)}


async def test_an_adapter_answers_as_its_weights_do_beside_its_backbone_in_transformers(
    targets: Targets, served: Served
) -> None:
    """vLLM really adds the adapter, and no other."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    folder = served.folders["txiki_110"]
    for code in ADAPTERS:
        base = AutoModelForCausalLM.from_pretrained(folder)
        model = PeftModel.from_pretrained(base, str(served.folders[code]))
        said = await text_of(asking(targets[code], temperature=0, max_tokens=8))
        assert said == greedy(model, folder, most=8)


# ---- request ids


async def test_the_request_id_becomes_the_completions_and_comes_back(targets: Targets) -> None:
    target, request_id = targets["txiki_110"], str(uuid4())
    headers = {"Authorization": f"Bearer {KEY}", "X-Request-Id": request_id}
    body = {
        "model": target.model,
        "messages": [{"role": "user", "content": QUESTION}],
        "max_tokens": 4,
        "stream": True,
    }
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{target.base_url}/chat/completions", json=body) as got,
    ):
        lines = [line async for line in got.content if line.startswith(b"data: {")]
    assert got.headers["X-Request-Id"] == request_id
    assert {json.loads(line.removeprefix(b"data: "))["id"] for line in lines} == {f"chatcmpl-{request_id}"}


# ---- the fleet


def test_up_again_leaves_the_servers_alone(served: Served) -> None:
    before = served.run("status")
    assert before.count("healthy") == 2
    started = time.perf_counter()
    after = served.run("up")
    print(f"up again in {time.perf_counter() - started:.1f} s\n{after}")
    assert pids(after) == pids(before)


def pids(table: str) -> list[str]:
    return [line.split()[3] for line in table.splitlines()[1:]]


def test_the_key_is_on_no_command_line(served: Served) -> None:
    for pid in pids(served.run("status")):
        assert KEY not in Path(f"/proc/{pid}/cmdline").read_text()
