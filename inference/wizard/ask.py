"""One bounded question to a model that no volunteer sees yet."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from inference import providers
from inference.errors import StreamError
from inference.types import Deadlines, Delta, Done, GenerationRequest, Message, Role, Sampling, Target

DEADLINES = Deadlines(connect_s=3, first_token_s=20, between_tokens_s=10, total_s=25)
AT_ONCE = 4
_MOST_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a question.

    Parameters
    ----------
    text
        The answer, or as much as came; 2,000 characters at most.
    error
        Code of :class:`inference.errors.StreamErrorCode`; empty where the answer is whole.
    first_token_ms, ms
        To the first text and to the end, in milliseconds.
    prompt_tokens, completion_tokens
        The server's own count, where it tells it.
    """

    text: str
    error: str = ""
    first_token_ms: int | None = None
    ms: int = 0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    finish_reason: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "error": self.error,
            "first_token_ms": self.first_token_ms,
            "ms": self.ms,
            "tokens": self.completion_tokens,
            "finish_reason": self.finish_reason,
        }


def user(text: str) -> tuple[Message, ...]:
    return (Message(Role.USER, text),)


async def ask(target: Target, messages: Sequence[Message], *, max_tokens: int = 120) -> Reply:
    """Ask, and take what comes for an answer or for a finding. Ends within 25 s and never raises :class:`StreamError`.

    Sampling is cool (temperature 0.3), so that two looks at one model differ little. No queue and no budget: volunteers have those.
    """
    request = GenerationRequest(
        target=replace(target, deadlines=DEADLINES),
        messages=tuple(messages),
        sampling=Sampling(temperature=0.3, top_p=0.95, max_tokens=max_tokens, seed=7),
        request_id=f"check-{uuid4()}",
    )
    written = _Written()
    try:
        async with aclosing(providers.stream(request)) as events:
            async for event in events:
                written.take(event)
    except StreamError as error:
        return written.reply(error=error.code.value)
    return written.reply()


async def ask_all(
    target: Target, chats: Sequence[Sequence[Message]], *, max_tokens: int = 120
) -> list[Reply]:
    """Several questions, four at a time, answered in their order."""
    slots = asyncio.Semaphore(min(AT_ONCE, target.max_in_flight))

    async def one(messages: Sequence[Message]) -> Reply:
        async with slots:
            return await ask(target, messages, max_tokens=max_tokens)

    return list(await asyncio.gather(*map(one, chats)))


class _Written:
    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._first_token_ms: int | None = None
        self._texts: list[str] = []
        self._done: Done | None = None

    def take(self, event: object) -> None:
        if isinstance(event, Delta):
            if self._first_token_ms is None:
                self._first_token_ms = self._ms()
            self._texts.append(event.text)
        elif isinstance(event, Done):
            self._done = event

    def reply(self, *, error: str = "") -> Reply:
        return Reply(
            text="".join(self._texts)[:_MOST_CHARS],
            error=error,
            first_token_ms=self._first_token_ms,
            ms=self._ms(),
            prompt_tokens=self._done.prompt_tokens if self._done else None,
            completion_tokens=self._done.completion_tokens if self._done else None,
            finish_reason=self._done.finish_reason.value if self._done else "",
        )

    def _ms(self) -> int:
        return round((time.perf_counter() - self._started) * 1000)
