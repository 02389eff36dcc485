"""Anthropic's own wire format, over its SDK: ``pip install lehia[anthropic]``.

As with the other format the SDK makes the request and the stream is read raw.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import anthropic
import anthropic.resources.messages  # else the first request imports it while other streams wait
import httpx2
import msgspec

from inference import errors
from inference.providers import failures
from inference.providers.exchange import RawResponse, exchange
from inference.providers.rules import RULES
from inference.types import (
    Delta,
    Done,
    FinishReason,
    GenerationRequest,
    Message,
    Provider,
    Reasoning,
    Role,
)

# At DEBUG it tells whole requests, texts and addresses too, whatever the site's log is set to.
logging.getLogger("anthropic").setLevel(logging.WARNING)

_RULE = RULES[Provider.ANTHROPIC]


class _Usage(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None


class _Message(msgspec.Struct):
    usage: _Usage | None = None


class _Delta(msgspec.Struct):
    text: str | None = None
    thinking: str | None = None
    stop_reason: str | None = None


class _Event(msgspec.Struct):
    type: str
    message: _Message | None = None
    delta: _Delta | None = None
    usage: _Usage | None = None
    error: object = None


_decode = msgspec.json.Decoder(_Event).decode


def stream(request: GenerationRequest) -> AsyncGenerator[Reasoning | Delta | Done, None]:
    """The answer to one request; see :func:`inference.providers.stream`."""
    return exchange(request, _Anthropic())


class _Anthropic:
    sdk_error: type[Exception] = anthropic.APIError

    def call(
        self, http: httpx2.AsyncClient, request: GenerationRequest
    ) -> AbstractAsyncContextManager[RawResponse]:
        client = anthropic.AsyncAnthropic(
            base_url=request.target.base_url.removesuffix("/v1"),
            api_key=request.target.api_key or "none",
            max_retries=0,
            timeout=None,
            http_client=http,
        )
        return client.messages.with_streaming_response.create(**arguments(request))

    def reader(self, request: GenerationRequest) -> _Reader:
        return _Reader()


def arguments(request: GenerationRequest) -> dict[str, Any]:
    """The request's body: the system prompt in its own field, one turn a speaker."""
    system = "\n\n".join(each.content for each in request.messages if each.role is Role.SYSTEM)
    made: dict[str, Any] = {
        "model": request.target.model,
        "messages": _turns(request.messages),
        _RULE.max_tokens: request.sampling.max_tokens,
        "stream": True,
        "extra_headers": {"Accept-Encoding": "identity"},
    }
    if system:
        made["system"] = system
    if stops := [each for each in request.sampling.stop if each.strip()]:  # blank ones are refused
        made[_RULE.stop] = stops
    return made


def _turns(messages: Sequence[Message]) -> list[dict[str, str]]:
    """The chat without system messages, what one speaker said in a row joined to one turn."""
    turns: list[dict[str, str]] = []
    for each in messages:
        if each.role is Role.SYSTEM:
            continue
        if turns and turns[-1]["role"] == each.role.value:
            turns[-1]["content"] += f"\n\n{each.content}"
        else:
            turns.append({"role": each.role.value, "content": each.content})
    return turns


class _Reader:
    """What the events of one message add up to."""

    def __init__(self) -> None:
        self._stop: str | None = None
        self._prompt_tokens: int | None = None
        self._completion_tokens: int | None = None
        self.finished = False

    def take(self, data: bytes) -> Sequence[Reasoning | Delta]:
        event = _event(data)
        if event.type == "error":
            raise failures.of_report(event.error)
        self.finished = event.type == "message_stop"
        if event.message is not None:
            self._count(event.message.usage)
        self._count(event.usage)
        if event.delta is None:
            return ()
        self._stop = event.delta.stop_reason or self._stop
        if event.delta.thinking:
            return (Reasoning(event.delta.thinking),)
        return (Delta(event.delta.text),) if event.delta.text else ()

    def _count(self, usage: _Usage | None) -> None:
        """Counts are totals so far; what was read from or written to the cache was in the prompt too."""
        if usage is None:
            return
        if usage.input_tokens is not None:
            cached = (usage.cache_creation_input_tokens or 0) + (usage.cache_read_input_tokens or 0)
            self._prompt_tokens = usage.input_tokens + cached
        if usage.output_tokens is not None:
            self._completion_tokens = usage.output_tokens

    def end(self) -> Sequence[Done]:
        if self._stop is None:
            raise errors.MalformedStream("the stream ended without a stop reason")
        reason = _RULE.finish_reasons.get(self._stop, FinishReason.OTHER)
        return (Done(reason, self._prompt_tokens, self._completion_tokens),)


def _event(data: bytes) -> _Event:
    try:
        return _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass  # raised below, so that the text of the event is in no traceback
    raise errors.MalformedStream("an event is not one of a message")
