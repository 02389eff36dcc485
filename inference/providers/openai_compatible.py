"""The OpenAI wire format, as OpenAI, vLLM, transformers serve and others speak it.

The SDK makes the request and reads the status; the stream is read raw and parsed by msgspec, which costs a third of the SDK's own objects.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx2
import msgspec
import openai
import openai.resources.chat.chat  # else the first request imports it while other streams wait

from inference import errors
from inference.providers import failures
from inference.providers.exchange import RawResponse, exchange
from inference.providers.rules import RULES, Rule
from inference.providers.think_tags import ThinkTags
from inference.types import Delta, Done, FinishReason, GenerationRequest, Reasoning


class _Content(msgspec.Struct):
    content: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Content | None = None
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: object = None


_decode = msgspec.json.Decoder(_Chunk).decode


def stream(request: GenerationRequest) -> AsyncGenerator[Reasoning | Delta | Done, None]:
    """The answer to one request; see :func:`inference.providers.stream`."""
    return exchange(request, _OpenAI())


class _OpenAI:
    sdk_error: type[Exception] = openai.APIError

    def call(
        self, http: httpx2.AsyncClient, request: GenerationRequest
    ) -> AbstractAsyncContextManager[RawResponse]:
        target = request.target
        client = openai.AsyncOpenAI(
            base_url=target.base_url,
            api_key=target.api_key or "none",
            max_retries=0,
            timeout=None,
            http_client=http,
        )
        return client.chat.completions.with_streaming_response.create(**arguments(request))

    def reader(self, request: GenerationRequest) -> _Reader:
        return _Reader(RULES[request.target.provider])


def arguments(request: GenerationRequest) -> dict[str, Any]:
    """The request's body and headers, as the provider's rule wants them."""
    rule, sampling = RULES[request.target.provider], request.sampling
    made: dict[str, Any] = {
        "model": request.target.model,
        "messages": [{"role": each.role.value, "content": each.content} for each in request.messages],
        rule.max_tokens: sampling.max_tokens,
        "stream": True,
        "extra_headers": {"Accept-Encoding": "identity"},
    }
    if rule.takes_sampling(request.target.model):
        made |= {"temperature": sampling.temperature, "top_p": sampling.top_p}
    if rule.seed is not None:
        made[rule.seed] = sampling.seed
    if stops := list(sampling.stop[: rule.most_stops]):
        made[rule.stop] = stops
    if rule.stream_options:
        made["stream_options"] = {"include_usage": True}
    if rule.request_id is not None:
        made["extra_headers"][rule.request_id] = request.request_id
    return made


class _Reader:
    """What the chunks of one stream add up to."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._tags = ThinkTags() if rule.think_tags else None
        self._finish: str | None = None
        self._usage = _Usage()
        self.finished = False

    def take(self, event: bytes) -> Sequence[Reasoning | Delta]:
        if event == b"[DONE]":
            self.finished = True
            return ()
        chunk = _chunk(event)
        if chunk.error is not None:
            raise failures.of_report(chunk.error)
        self._usage = chunk.usage or self._usage
        if not chunk.choices:
            return ()
        choice = chunk.choices[0]
        self._finish = choice.finish_reason or self._finish
        return self._texts(choice.delta) if choice.delta is not None else ()

    def _texts(self, delta: _Content) -> list[Reasoning | Delta]:
        parts: list[Reasoning | Delta] = []
        for name in self._rule.reasoning:
            if thought := getattr(delta, name):
                parts.append(Reasoning(thought))
                break
        if delta.content:
            parts += self._tags.take(delta.content) if self._tags is not None else [Delta(delta.content)]
        return parts

    def end(self) -> Sequence[Reasoning | Delta | Done]:
        if self._finish is None:
            raise errors.MalformedStream("the stream ended without a finish reason")
        if self._finish in self._rule.failures:
            raise errors.ServerFailed("the server gave up")
        rest = self._tags.end() if self._tags is not None else []
        reason = self._rule.finish_reasons.get(self._finish, FinishReason.OTHER)
        return [*rest, Done(reason, self._usage.prompt_tokens, self._usage.completion_tokens)]


def _chunk(event: bytes) -> _Chunk:
    failure: errors.StreamError
    try:
        return _decode(event)
    except (msgspec.DecodeError, UnicodeDecodeError):
        if event.startswith(b'{"error"'):  # transformers serve quotes nothing in its messages
            failure = errors.ServerFailed("the server reported an error inside the stream")
        else:
            failure = errors.MalformedStream("an event is not a chunk of a completion")
    raise failure
