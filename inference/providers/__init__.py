"""One streaming interface to model servers, whatever wire format they speak."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from inference import errors
from inference.types import Delta, Done, GenerationRequest, Provider, Reasoning

__all__ = ["stream"]

_Adapter = Callable[[GenerationRequest], AsyncGenerator[Reasoning | Delta | Done, None]]


def stream(request: GenerationRequest) -> AsyncGenerator[Reasoning | Delta | Done, None]:
    """Ask for one answer.

    Parameters
    ----------
    request
        Target, messages, sampling and the id that the server is given where it takes one. What of the sampling is sent, and under which names, is
        the provider's rule: :data:`inference.providers.rules.RULES`.

    Yields
    ------
    Reasoning, Delta or Done
        Hidden reasoning and answer as they arrive, never empty, then exactly one :class:`Done`.

    Raises
    ------
    StreamError
        Every way to fail, typed; its text names no address, no key and nothing that the server said. What was yielded before is then not an
        answer. Nothing is retried. Where a provider's library is not installed, the text says which extra brings it.

    Notes
    -----
    The deadlines are :class:`inference.providers.clock.Clock`'s. Closing the generator closes the connection, which frees the request on vLLM
    within 200 ms.
    """
    if request.target.provider is Provider.ANTHROPIC:
        return _of_extra(request)
    from inference.providers import openai_compatible  # 50 MB, which commands that ask no model do without

    return openai_compatible.stream(request)


async def _of_extra(request: GenerationRequest) -> AsyncGenerator[Reasoning | Delta | Done, None]:
    """As :func:`stream`, by a library that is imported once it is needed: in a thread, since that takes a second and other answers go on."""
    adapter = await asyncio.to_thread(_anthropic)
    if adapter is None:
        raise errors.ConnectFailed("this provider needs an extra: pip install 'lehia[anthropic]'")
    async with aclosing(adapter(request)) as events:
        async for event in events:
            yield event


def _anthropic() -> _Adapter | None:
    try:
        from inference.providers import anthropic
    except ImportError:
        return None
    return anthropic.stream
