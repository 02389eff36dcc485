"""The OpenAI wire format over the ``openai`` SDK's aiohttp transport.

The SDK makes the request; its streaming response is read raw and parsed by msgspec, which costs a third of the SDK's own objects.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any
from weakref import WeakKeyDictionary

import aiohttp
import httpx2
import msgspec
import openai

from inference import errors
from inference.sse import EventParser
from inference.types import Deadlines, Delta, Done, FinishReason, GenerationRequest, Provider, Target


class _Content(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Content = msgspec.field(default_factory=_Content)
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: object = None


_decode = msgspec.json.Decoder(_Chunk).decode
_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, str], openai.AsyncOpenAI]] = (
    WeakKeyDictionary()
)


async def stream(request: GenerationRequest) -> AsyncGenerator[Delta | Done, None]:
    """The answer as deltas and one :class:`Done`; see :func:`inference.gateway.stream`."""
    clock = _Clock(request.target.deadlines)
    answer = _Answer()
    try:
        async with aclosing(_chunks(request, clock)) as chunks:
            async for chunk in chunks:
                for text in answer.take(chunk):
                    yield Delta(text)
                    clock.wrote()
    except TimeoutError:
        raise errors.StreamTimeout("past a deadline of the stream") from None
    yield answer.done()


class _Clock:
    """When the next text is due. No timer runs while the reader has the turn: one that fired there would cancel the reader.

    What carries no text (comments, the role, hidden reasoning) moves no deadline.
    """

    def __init__(self, deadlines: Deadlines) -> None:
        self._time = asyncio.get_running_loop().time
        self._between_s = deadlines.between_tokens_s
        self._end = self._time() + deadlines.total_s
        self._due = self._time() + deadlines.first_token_s

    def wrote(self) -> None:
        self._due = self._time() + self._between_s

    def waiting(self) -> asyncio.Timeout:
        return asyncio.timeout_at(min(self._end, self._due))


class _Answer:
    """What the chunks of one stream add up to."""

    def __init__(self) -> None:
        self._finish: str | None = None
        self._usage = _Usage()
        self._wrote = False

    def take(self, chunk: _Chunk) -> list[str]:
        if chunk.error is not None:
            raise errors.ServerFailed("the server reported an error inside the stream")
        if chunk.usage is not None:
            self._usage = chunk.usage
        texts = []
        for choice in chunk.choices[:1]:
            self._finish = choice.finish_reason or self._finish
            if choice.delta.content:
                self._wrote = self._wrote or bool(choice.delta.content.strip())
                texts.append(choice.delta.content)
        return texts

    def done(self) -> Done:
        if self._finish is None:
            raise errors.MalformedStream("the stream ended without a finish reason")
        if not self._wrote:
            raise errors.EmptyAnswer("the stream held no text")
        reason = self._finish if self._finish in {"stop", "length"} else "other"
        return Done(FinishReason(reason), self._usage.prompt_tokens, self._usage.completion_tokens)


async def _chunks(request: GenerationRequest, clock: _Clock) -> AsyncGenerator[_Chunk, None]:
    parser = EventParser()
    async with aclosing(_raw(request, clock)) as raw:
        async for data in raw:
            for event in parser.feed(data):
                if event == b"[DONE]":
                    return
                try:
                    chunk = _decode(event)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    raise errors.MalformedStream("an event is not a chunk of a completion") from None
                yield chunk


async def _raw(request: GenerationRequest, clock: _Clock) -> AsyncGenerator[bytes, None]:
    """The response's bytes, each wait under the clock."""
    client = _client(request.target)
    try:
        manager = client.chat.completions.with_streaming_response.create(**_arguments(request))
        async with clock.waiting():
            response = await manager.__aenter__()
        try:
            received = response.iter_bytes()
            while (data := await _next(received, clock)) is not None:
                yield data
        finally:
            await manager.__aexit__(None, None, None)
    except openai.APIStatusError as error:
        raise _status_error(error) from None
    except openai.APITimeoutError as error:
        # the SDK's transport calls every failure to connect a time-out of connecting
        if isinstance(error.__cause__, httpx2.ConnectTimeout):
            raise errors.ConnectFailed("no connection to the server") from None
        raise errors.StreamTimeout("the server did not answer in time") from None
    except openai.APIConnectionError:
        raise errors.ConnectFailed("no connection to the server") from None
    except (httpx2.HTTPError, aiohttp.ClientError):
        raise errors.MalformedStream("the connection broke in mid-stream") from None


async def _next(received: AsyncIterator[bytes], clock: _Clock) -> bytes | None:
    async with clock.waiting():
        return await anext(received, None)


def _arguments(request: GenerationRequest) -> dict[str, Any]:
    sampling = request.sampling
    arguments: dict[str, Any] = {
        "model": request.target.model,
        "messages": [{"role": each.role.value, "content": each.content} for each in request.messages],
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_tokens,
        "seed": sampling.seed,
        "stream": True,
        "extra_headers": {"X-Request-Id": request.request_id},
    }
    if (
        request.target.provider is not Provider.TRANSFORMERS
    ):  # it tells usage unasked, and warns of this field
        arguments["stream_options"] = {"include_usage": True}
    if sampling.stop:
        arguments["stop"] = list(sampling.stop)
    return arguments


def _client(target: Target) -> openai.AsyncOpenAI:
    """The client of this loop for this server; never redirects, never retries by itself."""
    clients = _clients.setdefault(asyncio.get_running_loop(), {})
    key = (target.base_url, target.api_key)
    if key not in clients:
        timeout = httpx2.Timeout(None, connect=target.deadlines.connect_s)
        # A connection kept from the last answer may just be closing at the other end (uvicorn does so after 5 s, and after
        # each 500): the next request would fail on it, and a POST is not sent twice. A new one costs a fraction of a token.
        limits = httpx2.Limits(max_connections=10_000, max_keepalive_connections=0, keepalive_expiry=0)
        clients[key] = openai.AsyncOpenAI(
            base_url=target.base_url,
            api_key=target.api_key or "none",
            max_retries=0,
            timeout=timeout,
            http_client=openai.DefaultAioHttpClient(
                follow_redirects=False, timeout=timeout, limits=limits, trust_env=False
            ),
        )
    return clients[key]


async def close_clients() -> None:
    """Close this loop's connections, when its process shuts down."""
    for client in _clients.pop(asyncio.get_running_loop(), {}).values():
        await client.close()


def _status_error(error: openai.APIStatusError) -> errors.StreamError:
    status = error.status_code
    if status in {401, 403}:
        return errors.Unauthorized(f"the server answered {status}")
    if status == 404:
        return errors.ModelNotFound("the server answered 404")
    if status == 429:
        return errors.RateLimited("the server answered 429", retry_after_s=_retry_after_s(error))
    if status >= 500:
        return errors.ServerFailed(f"the server answered {status}")
    if status >= 400:
        return errors.BadRequest(f"the server answered {status}")
    return errors.ConnectFailed(f"the server answered {status}; redirects are not followed")


def _retry_after_s(error: openai.APIStatusError) -> float | None:
    try:
        return float(error.response.headers["retry-after"])
    except (KeyError, ValueError):
        return None
