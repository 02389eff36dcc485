"""The wire to any server that speaks OpenAI's completions or chat completions, patient with one that is busy or restarts."""

from __future__ import annotations

import asyncio
import email.utils
import os
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import httpx2
import openai

from training.data.asking.pace import Pace, back_off_s
from training.errors import BadData, Refused, ServerFailed, Unanswered

_TOLD = 200  # characters of a server's message
_LONGEST_PAUSE_S = 600.0
_FATAL = {401, 403, 404}
_PASSING = {408, 409, 425, 429}
Message = dict[str, str]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a text is drawn."""

    temperature: float
    top_p: float
    max_tokens: int
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back.

    Parameters
    ----------
    text
        As the server sent it.
    cut
        Whether the length limit ended it.
    prompt_tokens
        As the server counted them, if it did.
    """

    text: str
    cut: bool
    prompt_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server and how it may be asked.

    Parameters
    ----------
    url
        Up to and with ``/v1``.
    deadline_s
        For one attempt, from its leaving to the last byte.
    attempts
        How often one request is sent at most.
    refusals
        So many requests refused in a row, with none accepted between, and the run stops: then it is not the rows.
    """

    url: str
    model: str
    api_key: str = field(default="none", repr=False)
    deadline_s: float = 600.0
    attempts: int = 8
    refusals: int = 50


def api_key_from(variable: str | None) -> str:
    """The key in an environment variable, so that none stands in a command line; ``none`` where no variable is named.

    Raises
    ------
    BadData
        If the variable is not set.
    """
    if variable is None:
        return "none"
    try:
        return os.environ[variable]
    except KeyError:
        raise BadData(f"the environment has no variable {variable} to read the key from") from None


class Client:
    """Asks one endpoint; use it as ``async with``.

    Parameters
    ----------
    pace
        Shared by the clients of one server.
    rng
        Draws the waits between attempts, and nothing that is asked.
    """

    def __init__(self, endpoint: Endpoint, pace: Pace, *, rng: random.Random | None = None) -> None:
        self._endpoint, self._pace = endpoint, pace
        self._rng = rng or random.Random()  # noqa: S311  # waits
        self._refused = 0
        # a kept connection may be closing at the other end just as it is used again: a new one costs next to nothing here
        limits = httpx2.Limits(max_connections=10_000, max_keepalive_connections=0, keepalive_expiry=0)
        self._openai = openai.AsyncOpenAI(
            base_url=endpoint.url,
            api_key=endpoint.api_key,
            max_retries=0,
            timeout=httpx2.Timeout(None, connect=30.0),
            http_client=openai.DefaultAioHttpClient(follow_redirects=False, limits=limits, trust_env=False),
        )

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._openai.close()

    async def complete(self, prompt: str, sampling: Sampling, *, seed: int) -> Reply:
        """What the model writes after *prompt*, through ``/completions``.

        Raises
        ------
        Refused, Unanswered, ServerFailed
        """
        reply = await self._patiently(
            lambda: self._openai.completions.create(prompt=prompt, **self._fields(sampling, seed))
        )
        return _reply(reply, lambda choice: choice.text)

    async def chat(self, messages: list[Message], sampling: Sampling, *, seed: int) -> Reply:
        """The model's answer, through ``/chat/completions``; raises as :meth:`complete` does."""
        reply = await self._patiently(
            lambda: self._openai.chat.completions.create(
                messages=messages,  # type: ignore[arg-type]  # plain dictionaries
                **self._fields(sampling, seed),
            )
        )
        return _reply(reply, lambda choice: choice.message.content)

    def _fields(self, sampling: Sampling, seed: int) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "model": self._endpoint.model,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_tokens,
            "seed": seed,
        }
        return fields | ({"stop": list(sampling.stop)} if sampling.stop else {})

    async def _patiently(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        last = ""
        for attempt in range(1, self._endpoint.attempts + 1):
            await self._pace.turn()
            try:
                async with asyncio.timeout(self._endpoint.deadline_s):
                    reply = await ask()
                    _check(reply)
            except openai.APIStatusError as error:
                last = f"status {error.status_code}"
                self._judge(error)
            # an aborted connection shows as one of several errors, a body that is no reply as a ValueError
            except (openai.APIError, httpx2.HTTPError, aiohttp.ClientError, OSError, ValueError) as error:
                last = type(error).__name__
            else:
                self._refused = 0
                return reply
            if attempt < self._endpoint.attempts:
                await self._pace.rest(back_off_s(attempt, self._rng))
        raise Unanswered(f"{self._endpoint.attempts} attempts failed, the last by {last}")

    def _judge(self, error: openai.APIStatusError) -> None:
        """Return where another attempt may do; raise where it will not."""
        status, told = error.status_code, f"{self._endpoint.url} answered {error.message[:_TOLD]}"
        if status in _FATAL:
            raise ServerFailed(told) from None
        if status in _PASSING or status >= 500:
            pause = retry_after_s(error.response.headers, now=time.time())
            if pause is not None:
                self._pace.pause(min(pause, _LONGEST_PAUSE_S))
            return
        self._refused += 1
        if self._refused >= self._endpoint.refusals:
            raise ServerFailed(f"{told}; {self._refused} requests in a row were refused") from None
        raise Refused(f"status {status}")


def retry_after_s(headers: Mapping[str, str], *, now: float) -> float | None:
    """The seconds that ``Retry-After`` asks for, as a number or a date; ``None`` where it says nothing that can be read."""
    raw = headers.get("retry-after", "")
    try:
        seconds = float(raw)
    except ValueError:
        date = email.utils.parsedate_tz(raw)
        if date is None:
            return None
        seconds = email.utils.mktime_tz(date) - now
    return seconds if 0 <= seconds < float("inf") else None


def _check(reply: Any) -> None:
    """The SDK takes any JSON for a reply."""
    if not getattr(reply, "choices", None):
        raise ValueError("no choices")


def _reply(reply: Any, text: Callable[[Any], str | None]) -> Reply:
    choice = reply.choices[0]
    tokens = reply.usage.prompt_tokens if reply.usage else None
    return Reply(text(choice) or "", cut=choice.finish_reason == "length", prompt_tokens=tokens)
