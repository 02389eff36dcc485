"""What is sent to each provider, and what is made of what it tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference import errors
from inference.fakes import FakeModelServer, Fault, fake_model_server
from inference.providers import failures
from inference.providers.rules import RULES
from inference.providers.think_tags import ThinkTags
from inference.types import Delta, Done, FinishReason, Message, Provider, Reasoning, Role
from tests.inference.asking import KEY, SAMPLING, ask, collect, said, thought

MESSAGES = [{"role": "system", "content": "Euskaraz."}, {"role": "user", "content": "Kaixo"}]
COMMON: dict[str, Any] = {"model": "eredua", "stream": True}
CHAT_COMPLETION = COMMON | {"messages": MESSAGES, "temperature": 0.9, "top_p": 0.95, "stop": ["<|eot_id|>"]}
USAGE = {"stream_options": {"include_usage": True}}
SENT: dict[Provider, dict[str, Any]] = {
    Provider.OPENAI: CHAT_COMPLETION | USAGE | {"max_completion_tokens": 64, "seed": 11},
    Provider.GEMINI: CHAT_COMPLETION | USAGE | {"max_tokens": 64},
    Provider.COHERE: CHAT_COMPLETION | USAGE | {"max_tokens": 64, "seed": 11},
    Provider.VLLM: CHAT_COMPLETION | USAGE | {"max_tokens": 64, "seed": 11},
    Provider.TRANSFORMERS: CHAT_COMPLETION | {"max_tokens": 64, "seed": 11},
    Provider.OLLAMA: CHAT_COMPLETION | USAGE | {"max_tokens": 64, "seed": 11},
    Provider.LLAMA_CPP: CHAT_COMPLETION | USAGE | {"max_tokens": 64, "seed": 11},
    Provider.ANTHROPIC: COMMON
    | {
        "system": "Euskaraz.",
        "messages": MESSAGES[1:],
        "max_tokens": 64,
        "stop_sequences": ["<|eot_id|>"],
    },
}


def test_every_provider_has_a_rule() -> None:
    assert set(RULES) == set(Provider) == set(SENT)


@pytest.mark.parametrize("provider", list(Provider))
async def test_all_that_a_provider_takes_is_sent_and_nothing_else(provider: Provider) -> None:
    async with fake_model_server(FakeModelServer()) as server:
        assert said(await collect(ask(server, provider))) == "Kaixo mundua"
    assert server.bodies == [SENT[provider]]
    headers = server.headers[0]
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["accept-encoding"] == "identity"
    assert "cookie" not in headers


@pytest.mark.parametrize(
    ("provider", "name"),
    [
        (Provider.OPENAI, "x-client-request-id"),
        (Provider.VLLM, "x-request-id"),
        (Provider.TRANSFORMERS, "x-request-id"),
        (Provider.GEMINI, None),
        (Provider.ANTHROPIC, None),
    ],
)
async def test_the_requests_id_goes_in_the_header_that_the_provider_reads(
    provider: Provider, name: str | None
) -> None:
    async with fake_model_server(FakeModelServer()) as server:
        await collect(ask(server, provider))
    bearing = [header for header, value in server.headers[0].items() if value == "eskaera-1"]
    assert bearing == ([name] if name else [])


@pytest.mark.parametrize(
    ("provider", "sent"), [(Provider.OPENAI, 4), (Provider.GEMINI, 5), (Provider.VLLM, 7)]
)
async def test_no_more_stop_strings_are_sent_than_are_taken(provider: Provider, sent: int) -> None:
    stops = tuple("abcdefg")
    async with fake_model_server(FakeModelServer()) as server:
        await collect(replace(ask(server, provider), sampling=replace(SAMPLING, stop=stops)))
    assert server.bodies[0]["stop"] == list(stops[:sent])


async def test_without_stop_strings_the_parameter_is_left_out() -> None:
    async with fake_model_server(FakeModelServer()) as server:
        for provider in (Provider.VLLM, Provider.ANTHROPIC):
            await collect(replace(ask(server, provider), sampling=replace(SAMPLING, stop=())))
    assert not any("stop" in body or "stop_sequences" in body for body in server.bodies)


@pytest.mark.parametrize(
    ("model", "takes"),
    [
        ("gpt-4o", True),
        ("gpt-4.1-mini", True),
        ("gpt-5.2", True),
        ("gpt-5-chat-latest", True),
        ("latxa-70b", True),
        ("gpt-5", False),
        ("gpt-5-mini-2025-08-07", False),
        ("gpt-5.3-chat-latest", False),
        ("o3-mini", False),
        ("gpt-4o-search-preview", False),
    ],
)
async def test_models_that_refuse_a_temperature_are_sent_none(model: str, takes: bool) -> None:
    async with fake_model_server(FakeModelServer()) as server:
        await collect(ask(server, Provider.OPENAI, model=model))
    assert ("temperature" in server.bodies[0], "top_p" in server.bodies[0]) == (takes, takes)


async def test_anthropic_gets_one_turn_a_speaker_and_no_blank_stop_string() -> None:
    turns = [
        (Role.SYSTEM, "Bat."),
        (Role.SYSTEM, "Bi."),
        (Role.USER, "Kaixo"),
        (Role.USER, "Zer moduz?"),
        (Role.ASSISTANT, "Ondo."),
        (Role.USER, "Eta orain?"),
    ]
    messages = tuple(Message(role, text) for role, text in turns)
    sampling = replace(SAMPLING, stop=("\n\n", "amaitu"))
    async with fake_model_server(FakeModelServer()) as server:
        await collect(replace(ask(server, Provider.ANTHROPIC), messages=messages, sampling=sampling))
    body = server.bodies[0]
    assert body["system"] == "Bat.\n\nBi."
    assert body["messages"] == [
        {"role": "user", "content": "Kaixo\n\nZer moduz?"},
        {"role": "assistant", "content": "Ondo."},
        {"role": "user", "content": "Eta orain?"},
    ]
    assert body["stop_sequences"] == ["amaitu"]


async def test_without_a_system_prompt_anthropic_gets_none() -> None:
    async with fake_model_server(FakeModelServer()) as server:
        await collect(replace(ask(server, Provider.ANTHROPIC), messages=(Message(Role.USER, "Kaixo"),)))
    assert "system" not in server.bodies[0]


@pytest.mark.parametrize(
    ("provider", "told", "reason"),
    [
        (Provider.COHERE, "MAX_TOKENS", FinishReason.LENGTH),
        (Provider.COHERE, "COMPLETE", FinishReason.STOP),
        (Provider.ANTHROPIC, "stop_sequence", FinishReason.STOP),
        (Provider.ANTHROPIC, "model_context_window_exceeded", FinishReason.LENGTH),
        (Provider.GEMINI, "MAX_TOKENS", FinishReason.OTHER),
    ],
)
async def test_finish_reasons_are_read_by_the_rule(
    provider: Provider, told: str, reason: FinishReason
) -> None:
    async with fake_model_server(FakeModelServer(finish_reason=told)) as server:
        assert (await collect(ask(server, provider)))[-1] == Done(reason, 5, 2)


# reasoning


async def test_reasoning_told_twice_is_told_once() -> None:
    chunk = b'data: {"choices": [{"delta": {"reasoning": "hm", "reasoning_content": "hm"}}]}\n\n'
    good = b'data: {"choices": [{"delta": {"content": "Bai"}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
    async with fake_model_server(FakeModelServer(raw=chunk + good)) as server:
        events = await collect(ask(server))
    assert events[:2] == [Reasoning("hm"), Delta("Bai")]


@pytest.mark.parametrize(
    ("provider", "hidden"),
    [(Provider.VLLM, True), (Provider.OLLAMA, True), (Provider.OPENAI, True), (Provider.GEMINI, False)],
)
async def test_tagged_reasoning_is_hidden_where_servers_leave_it_in(provider: Provider, hidden: bool) -> None:
    words = ("\n<thi", "nk>\nhm", "m</th", "ink>\n\n", "Bai.")
    async with fake_model_server(FakeModelServer(words=words)) as server:
        events = await collect(ask(server, provider))
    assert said(events) == ("Bai." if hidden else "".join(words))
    assert thought(events) == ("\nhmm" if hidden else "")


async def test_thinking_that_is_never_closed_is_no_answer() -> None:
    async with fake_model_server(FakeModelServer(words=("<think>", "hm"), finish_reason="length")) as server:
        with pytest.raises(errors.EmptyAnswer):
            await collect(ask(server))


def sort(pieces: list[str]) -> tuple[str, str]:
    tags = ThinkTags()
    parts = [part for piece in pieces for part in tags.take(piece)] + tags.end()
    assert all(part.text for part in parts)
    thoughts = "".join(part.text for part in parts if isinstance(part, Reasoning))
    return thoughts, "".join(part.text for part in parts if isinstance(part, Delta))


@pytest.mark.parametrize(
    ("text", "thoughts", "answer"),
    [
        ("Kaixo", "", "Kaixo"),
        ("", "", ""),
        ("  Kaixo", "", "  Kaixo"),
        ("<think>hm</think>Bai", "hm", "Bai"),
        (" \n<think>a < b</think> \n Bai </think>", "a < b", "Bai </think>"),
        ("<think></think>Bai", "", "Bai"),
        ("<think>hm", "hm", ""),
        ("<think>hm</thi", "hm</thi", ""),
        ("<thin", "", "<thin"),
        ("Erabili <think> etiketa", "", "Erabili <think> etiketa"),
        ("<thinking>hm</thinking>", "", "<thinking>hm</thinking>"),
    ],
)
def test_think_tags_sort_text(text: str, thoughts: str, answer: str) -> None:
    assert sort([text]) == sort(list(text)) == (thoughts, answer)


TAGGED = st.lists(st.sampled_from(["<think>", "</think>", "<", "</", "think", ">", " ", "\n", "a"])).map(
    "".join
)


@given(TAGGED, st.lists(st.integers(0, 200)))
def test_any_cutting_sorts_the_same(text: str, places: list[int]) -> None:
    ends = [0, *sorted(min(place, len(text)) for place in places), len(text)]
    assert sort([text[a:b] for a, b in pairwise(ends)]) == sort([text])


@given(TAGGED)
def test_no_text_is_lost_but_tags_and_blanks_around_them(text: str) -> None:
    thoughts, answer = sort([text])
    if not text.lstrip().startswith("<think>"):
        assert (thoughts, answer) == ("", text)
    else:
        rest = text.lstrip().removeprefix("<think>")
        before, closed, after = rest.partition("</think>")
        assert (thoughts, answer) == (before, after.lstrip() if closed else "")


# hard chunks


@pytest.mark.parametrize(
    "chunk",
    [
        b'{"choices": null}',
        b'{"choices": []}',
        b'{"choices": [{"delta": null}]}',
        b'{"choices": [{"delta": {}}]}',
        b'{"choices": [{"delta": {"content": null, "role": "assistant"}}]}',
        b'{"choices": [{"delta": {"content": ""}}], "usage": null}',
        b'{"object": "keepalive"}',
        b'{"choices": [{"index": 0, "delta": {"tool_calls": []}, "logprobs": {"content": []}}], "error": null}',
    ],
)
async def test_chunks_without_text_change_nothing(chunk: bytes) -> None:
    good = b'data: {"choices": [{"delta": {"content": "Bai"}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
    raw = b": comment\r\nretry: 3\r\ndata: " + chunk + b"\r\n\r\n" + good
    async with fake_model_server(FakeModelServer(raw=raw)) as server:
        assert await collect(ask(server)) == [Delta("Bai"), Done(FinishReason.STOP)]


async def test_a_stream_may_end_without_saying_done() -> None:
    raw = b'data: {"choices": [{"delta": {"content": "Bai"}, "finish_reason": "stop"}]}\n\n'
    async with fake_model_server(FakeModelServer(raw=raw)) as server:
        assert said(await collect(ask(server))) == "Bai"


async def test_what_follows_the_end_is_not_read() -> None:
    good = b'data: {"choices": [{"delta": {"content": "Bai"}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
    async with fake_model_server(FakeModelServer(raw=good + b'data: {"error": "late"}\n\n')) as server:
        assert said(await collect(ask(server))) == "Bai"


@pytest.mark.parametrize(
    ("event", "error"),
    [
        (b'{"error": {"code": 429, "message": "x"}}', errors.RateLimited),
        (b'{"error": {"code": 401}}', errors.Unauthorized),
        (b'{"error": {"code": "rate_limit_exceeded"}}', errors.RateLimited),
        (b'{"error": {"type": "invalid_request_error"}}', errors.BadRequest),
        (b'{"error": {"code": 200}}', errors.ServerFailed),
        (b'{"error": ["x"]}', errors.ServerFailed),
        (b'{"error": "he said "no""}', errors.ServerFailed),
        (b'{"choices": [{"delta": {"content": 7}}]}', errors.MalformedStream),
        (b'{"choices": "x"}', errors.MalformedStream),
        (b"[1]", errors.MalformedStream),
    ],
)
async def test_errors_in_the_stream_are_typed(event: bytes, error: type[errors.StreamError]) -> None:
    async with fake_model_server(FakeModelServer(raw=b"data: " + event + b"\n\n")) as server:
        with pytest.raises(error):
            await collect(ask(server))


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("overloaded_error", errors.ServerFailed),
        ("api_error", errors.ServerFailed),
        ("rate_limit_error", errors.RateLimited),
        ("authentication_error", errors.Unauthorized),
        ("permission_error", errors.Unauthorized),
        ("not_found_error", errors.ModelNotFound),
        ("request_too_large", errors.BadRequest),
        ("timeout_error", errors.StreamTimeout),
    ],
)
async def test_anthropics_errors_in_the_stream_are_typed(kind: str, error: type[errors.StreamError]) -> None:
    raw = b'event: error\ndata: {"type": "error", "error": {"type": "%s"}}\n\n' % kind.encode()
    async with fake_model_server(FakeModelServer(raw=raw)) as server:
        with pytest.raises(error):
            await collect(ask(server, Provider.ANTHROPIC))


async def test_anthropics_cached_prompt_counts_as_prompt() -> None:
    raw = b"".join(
        b"data: " + event + b"\n\n"
        for event in (
            b'{"type": "message_start", "message": {"usage": {"input_tokens": 3, "cache_read_input_tokens": 40, "output_tokens": 1}}}',
            b'{"type": "a_kind_of_the_future", "text": "?"}',
            b'{"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Bai"}}',
            b'{"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}}',
            b'{"type": "message_stop"}',
        )
    )
    async with fake_model_server(FakeModelServer(raw=raw)) as server:
        events = await collect(ask(server, Provider.ANTHROPIC))
    assert events == [Delta("Bai"), Done(FinishReason.STOP, 43, 9)]


# how long to wait

NOW = datetime(2026, 11, 23, 10, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after": "Mon, 23 Nov 2026 10:00:30 GMT"}, 30),
        ({"retry-after": "Mon, 23 Nov 2026 09:00:00 GMT"}, 0),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "laster"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_all_its_forms(headers: dict[str, str], wait_s: float | None) -> None:
    assert failures.retry_after_s(headers, now=NOW) == wait_s


@pytest.mark.parametrize("provider", [Provider.VLLM, Provider.ANTHROPIC])
async def test_a_rate_limit_tells_how_long(provider: Provider) -> None:
    server = FakeModelServer(fault=Fault.RATE_LIMITED, retry_after="Fri, 01 Jan 2100 00:00:00 GMT")
    async with fake_model_server(server):
        with pytest.raises(errors.RateLimited) as caught:
            await collect(ask(server, provider))
    assert caught.value.retry_after_s is not None
    assert caught.value.retry_after_s > 1e9
