"""The battle's line without a socket: a frame comes as a POST, and what it sets off goes back as server-sent events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import UUID

from django.db import DatabaseError
from django.http import HttpRequest, StreamingHttpResponse
from django.views.decorators.http import require_POST

from arena import protocol, sessions
from arena.conduct import crowd
from arena.errors import Refused
from arena.line import Line
from arena.observing import metrics
from arena.types import RefusalCode
from arena.visitors import address_of, lines_of
from inference.database import in_thread

logger = logging.getLogger(__name__)
END = b"event: end\ndata:\n\n"
"""Everything was told. A stream without it broke off, and its page asks again."""


@require_POST
async def line(request: HttpRequest, battle_id: UUID | None = None) -> StreamingHttpResponse:
    """One client frame of ``lehia.v1``, about this battle unless it opens one; the server's frames until nothing more is written."""
    whose = await in_thread(sessions.participant_id)(request.session)
    address = address_of(request)
    taker, lines = Line(whose, battle_id, address=address), lines_of(whose, address)
    events = _counted(lines, taker, request.body.decode(errors="replace"))
    headers = {
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no",
    }  # the latter: nginx passes events on at once
    return StreamingHttpResponse(events, content_type="text/event-stream", headers=headers)


async def _counted(lines: dict[str, int], line: Line, text: str) -> AsyncGenerator[bytes, None]:
    """As a socket, it counts while it is open."""
    if not crowd.enter(lines):
        yield _event(protocol.refused(RefusalCode.TOO_MANY_LINES))
        yield END
        return
    try:
        async with aclosing(_events(line, text)) as events:
            async for event in events:
                yield event
    finally:
        crowd.leave(lines)


async def _events(line: Line, text: str) -> AsyncGenerator[bytes, None]:
    try:
        # begun is begun, also for a browser that goes at this moment: its turn is answered and can be resumed
        reply = await asyncio.shield(line.take(protocol.parse(text)))
        for frame in reply.frames:
            yield _event(frame)
        async with aclosing(line.follow(reply.live)) as frames:
            async for frame in frames:
                yield _event(frame)
    except Refused as refusal:
        yield _event(protocol.refused(refusal.code, refusal.retry_s))
    except DatabaseError:
        logger.warning("a battle that was lost could not be read; its page will ask again")
        return
    yield END


def _event(frame: protocol.ServerFrame) -> bytes:
    metrics.told(frame)
    return f"data: {protocol.encode(frame)}\n\n".encode()
