"""One request and its stream, whatever the wire format."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from itertools import groupby
from typing import Protocol

import httpx2

from inference import errors
from inference.pinning import http_client
from inference.providers import failures
from inference.providers.clock import Clock
from inference.sse import EventParser
from inference.types import Delta, Done, GenerationRequest, Reasoning

_MOST_JSON_BYTES = 1 << 16


class RawResponse(Protocol):
    """What the SDKs give for ``with_streaming_response``."""

    @property
    def headers(self) -> httpx2.Headers: ...

    def iter_bytes(self) -> AsyncIterator[bytes]: ...


class Reader(Protocol):
    """What the events of one stream add up to."""

    finished: bool
    """Whether the stream said that it is over."""

    def take(self, event: bytes) -> Sequence[Reasoning | Delta]:
        """The texts of one event, none empty."""

    def end(self) -> Sequence[Reasoning | Delta | Done]:
        """What was held back, then the end."""


class Dialect(Protocol):
    """A wire format: how to ask, how to read, and its SDK's root of errors."""

    @property
    def sdk_error(self) -> type[Exception]: ...

    def call(
        self, http: httpx2.AsyncClient, request: GenerationRequest
    ) -> AbstractAsyncContextManager[RawResponse]: ...

    def reader(self, request: GenerationRequest) -> Reader: ...


async def exchange(
    request: GenerationRequest, dialect: Dialect
) -> AsyncGenerator[Reasoning | Delta | Done, None]:
    """The answer to one request; see :func:`inference.providers.stream`.

    Failures are raised outside of every ``except`` clause, so that no traceback leads to an SDK's error, whose request bears the key.
    """
    failure: errors.StreamError | None = None
    wrote = False
    reader, clock = dialect.reader(request), Clock(request.target.deadlines)
    try:
        async with _opened(request, dialect, clock) as response, aclosing(_events(response, clock)) as reads:
            async for events in reads:
                texts, trouble = _texts(reader, events)
                for part in texts:
                    wrote = wrote or _is_word(part)
                    yield part
                    clock.heard()
                if trouble is not None:
                    raise trouble
                if reader.finished:
                    break
        for last in reader.end():
            wrote = wrote or _is_word(last)
            if isinstance(last, Done) and not wrote:
                raise errors.EmptyAnswer("the stream held no text")
            yield last
    except (TimeoutError, errors.EndpointNotAllowed, httpx2.HTTPError, dialect.sdk_error) as error:
        failure = failures.of_exception(error)
    finally:
        clock.stop()
    if failure is not None:
        raise failure


@asynccontextmanager
async def _opened(
    request: GenerationRequest, dialect: Dialect, clock: Clock
) -> AsyncGenerator[RawResponse, None]:
    """The response, once its headers are here; closed at the end, and with it the connection."""
    check_key(request.target.api_key)
    async with http_client(request.target) as http:
        call = dialect.call(http, request)
        async with clock.waiting():
            response = await call.__aenter__()
        try:
            yield response
        finally:
            await call.__aexit__(None, None, None)


def _is_word(part: Reasoning | Delta | Done) -> bool:
    return isinstance(part, Delta) and not part.text.isspace()


def _texts(
    reader: Reader, events: Iterable[bytes]
) -> tuple[list[Reasoning | Delta], errors.StreamError | None]:
    """What the events of one read say, neighbours of a kind in one, and what is wrong with the event after them, if anything.

    A reader that comes late finds several tokens waiting, and each part costs the whole way to the page.
    """
    parts: list[Reasoning | Delta] = []
    trouble = None
    try:
        for event in events:
            parts += reader.take(event)
            if reader.finished:
                break
    except errors.StreamError as error:
        trouble = error
    if len(parts) < 2:
        return parts, trouble
    return [kind("".join(each.text for each in alike)) for kind, alike in groupby(parts, key=type)], trouble


async def _events(response: RawResponse, clock: Clock) -> AsyncGenerator[Iterable[bytes], None]:
    """The events that each read completes."""
    if response.headers.get("content-type", "").startswith("application/json"):
        raise await _not_a_stream(response, clock)
    parser = EventParser()
    received = response.iter_bytes()
    while (data := await _next(received, clock)) is not None:
        yield parser.feed(data)


async def _next(received: AsyncIterator[bytes], clock: Clock) -> bytes | None:
    async with clock.waiting():
        return await anext(received, None)


async def _not_a_stream(response: RawResponse, clock: Clock) -> errors.StreamError:
    """What a JSON body in place of a stream says: an error with status 200, or nothing that we asked for."""
    body = b""
    received = response.iter_bytes()
    while len(body) < _MOST_JSON_BYTES and (data := await _next(received, clock)) is not None:
        body += data
    try:
        told = json.loads(body)
    except ValueError:
        told = None
    if isinstance(told, list) and told:
        told = told[0]  # Gemini's are in a list
    if isinstance(told, Mapping) and told.get("error"):
        return failures.of_report(told["error"])
    return errors.MalformedStream("the answer is no stream")


def check_key(api_key: str) -> None:
    """Keys are visible ASCII; an HTTP library would quote another one in its error.

    Raises
    ------
    Unauthorized
    """
    if not api_key.isascii() or not api_key.isprintable() or " " in api_key:
        raise errors.Unauthorized("the key holds signs that no key has")
