"""The one door to model servers."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from inference import providers
from inference.errors import StreamError
from inference.types import Delta, Done, GenerationRequest, Reasoning

logger = logging.getLogger(__name__)


async def stream(request: GenerationRequest) -> AsyncGenerator[Delta | Done, None]:
    """Generate one answer.

    Parameters
    ----------
    request
        Target, messages, sampling and the id that the server is given too.

    Yields
    ------
    Delta or Done
        Deltas as they arrive, never empty, then exactly one :class:`Done`.

    Raises
    ------
    StreamError
        Every way to fail, typed. What was yielded before is then not an answer.

    Notes
    -----
    Closing the generator closes the connection, which frees the request on vLLM within 200 ms.
    """
    started = time.perf_counter()
    outcome = "cancelled"
    try:
        async with aclosing(providers.stream(request)) as events:
            async for event in events:
                if isinstance(event, Reasoning):
                    continue
                if isinstance(event, Done):
                    outcome = "done"  # before the reader has it: readers leave at this event
                yield event
    except StreamError as error:
        outcome = error.code.value
        raise
    finally:
        elapsed_ms = round((time.perf_counter() - started) * 1000)
        logger.info(
            "request %s to endpoint %s: %s in %d ms",
            request.request_id,
            request.target.endpoint_id,
            outcome,
            elapsed_ms,
        )
