"""One bounded question to a model that no volunteer sees yet."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from inference.errors import StreamErrorCode
from inference.fakes import FakeModelServer, Fault, fake_model_server
from inference.types import Provider, Target
from inference.wizard import ask
from inference.wizard.ask import ask_all, user
from inference.wizard.identity import identity
from inference.wizard.smoke import PROMPTS, smoke
from inference.wizard.template import template
from inference.wizard.types import CheckOutcome


def target(server: FakeModelServer, *, max_in_flight: int = 8) -> Target:
    return Target(
        endpoint_id=UUID(int=1),
        base_url=server.base_url,
        model="eredua",
        provider=Provider.VLLM,
        max_in_flight=max_in_flight,
    )


async def test_an_answer_is_whole_with_its_times_and_counts() -> None:
    async with fake_model_server(FakeModelServer(words=("Kaixo", " lagun"))) as server:
        reply = await ask.ask(target(server), user("Kaixo"))
    assert (reply.text, reply.error, reply.finish_reason) == ("Kaixo lagun", "", "stop")
    assert (reply.prompt_tokens, reply.completion_tokens) == (5, 2)
    assert reply.first_token_ms is not None
    assert reply.first_token_ms <= reply.ms


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault.UNAUTHORIZED, StreamErrorCode.UNAUTHORIZED),
        (Fault.NOT_FOUND, StreamErrorCode.MODEL_NOT_FOUND),
        (Fault.RATE_LIMITED, StreamErrorCode.RATE_LIMITED),
        (Fault.BROKEN, StreamErrorCode.SERVER),
        (Fault.BAD_REQUEST, StreamErrorCode.BAD_REQUEST),
        (Fault.GARBAGE, StreamErrorCode.MALFORMED),
        (Fault.EMPTY_ANSWER, StreamErrorCode.EMPTY),
    ],
)
async def test_each_failure_is_a_finding_with_its_code(fault: Fault, code: StreamErrorCode) -> None:
    async with fake_model_server(FakeModelServer(fault=fault)) as server:
        reply = await ask.ask(target(server), user("Kaixo"))
    assert (reply.error, reply.text, reply.finish_reason) == (code.value, "", "")


async def test_what_came_before_a_death_is_shown_beside_the_error() -> None:
    async with fake_model_server(FakeModelServer(fault=Fault.DIES, words=("Kaixo", " mundua"))) as server:
        reply = await ask.ask(target(server), user("Kaixo"))
    assert (reply.text, reply.error) == ("Kaixo", "malformed")


async def test_a_flood_is_kept_short() -> None:
    async with fake_model_server(FakeModelServer(words=("euskara ",) * 2_000)) as server:
        reply = await ask.ask(target(server), user("Kaixo"))
    assert len(reply.text) == 2_000


async def test_hidden_reasoning_is_not_shown_as_the_answer() -> None:
    async with fake_model_server(FakeModelServer(reasons=True, words=("Kaixo",))) as server:
        reply = await ask.ask(target(server), user("Kaixo"))
    assert reply.text == "Kaixo"


@pytest.mark.parametrize(("max_in_flight", "most"), [(1, 1), (2, 2), (64, 4)])
async def test_no_more_is_asked_at_once_than_the_endpoint_takes(max_in_flight: int, most: int) -> None:
    server = FakeModelServer(gate=asyncio.Event(), words=("a", "b"))
    async with fake_model_server(server):
        asking = asyncio.create_task(
            ask_all(target(server, max_in_flight=max_in_flight), [user(str(n)) for n in range(6)])
        )
        await server.wait_until(live=most)
        for _ in range(100):
            await asyncio.sleep(0)
        assert server.requests == most
        assert server.gate is not None
        server.gate.set()
        replies = await asking
    assert [reply.text for reply in replies] == ["ab"] * 6
    assert server.requests == 6


async def test_leaving_a_check_frees_the_server() -> None:
    server = FakeModelServer(fault=Fault.HANGS_BETWEEN)
    async with fake_model_server(server):
        asking = asyncio.create_task(smoke(target(server)))
        await server.wait_until(live=4)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await server.wait_until(live=0)
    assert server.requests == 4


async def test_answers_keep_the_order_of_the_questions() -> None:
    async with fake_model_server(FakeModelServer(script=[Fault.NONE, Fault.BROKEN, Fault.NONE])) as server:
        replies = await ask_all(target(server, max_in_flight=1), [user("a"), user("b"), user("c")])
    assert [reply.error for reply in replies] == ["", "server", ""]
    assert [body["messages"][0]["content"] for body in server.bodies] == ["a", "b", "c"]


async def test_one_missing_answer_of_seven_warns() -> None:
    server = FakeModelServer(
        script=[Fault.BROKEN], words=("Gaur eguraldi ederra dago", " eta mendira joango gara.")
    )
    async with fake_model_server(server):
        finding = await smoke(target(server))
    assert finding.outcome is CheckOutcome.WARNED
    assert [bool(row["error"]) for row in finding.detail["answers"]].count(True) == 1
    assert len(finding.detail["answers"]) == len(PROMPTS) == 7


async def test_one_question_about_the_name_without_an_answer_warns() -> None:
    async with fake_model_server(FakeModelServer(script=[Fault.BROKEN], words=("Ez dakit",))) as server:
        finding = await identity(target(server, max_in_flight=1), names=())
    assert finding.outcome is CheckOutcome.WARNED
    assert [row["error"] for row in finding.detail["answers"]] == ["server", "", ""]


async def test_a_count_of_five_tokens_is_a_cut_and_an_error_a_refusal() -> None:
    async with fake_model_server(FakeModelServer()) as server:
        finding = await template(target(server), context_tokens=2_048)
    assert finding.detail["context"]["said"] == "cut"
    async with fake_model_server(FakeModelServer(fault=Fault.BROKEN)) as server:
        finding = await template(target(server), context_tokens=2_048)
    assert finding.detail["context"]["said"] == "refused"
    assert finding.outcome is CheckOutcome.FAILED


async def test_a_huge_context_is_checked_up_to_a_bound() -> None:
    async with fake_model_server(FakeModelServer()) as server:
        await template(target(server), context_tokens=1_000_000)
    longest = max(len(message["content"]) for body in server.bodies for message in body["messages"])
    assert 32_000 < longest < 32_000 * 4
