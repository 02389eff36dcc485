"""The battle's socket: parses a frame, hands it to the line, follows what the runner writes.

Handlers return at once: Channels delivers no further frame, and no disconnect, until they do. Following is a task of its own.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from functools import partial
from typing import Any
from uuid import UUID

from channels.exceptions import DenyConnection
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError

from arena import protocol, sessions
from arena.conduct import Conduct, crowd
from arena.doorkeeper import NO_LONGER_WELCOME, Guest, doorkeeper
from arena.errors import Refused
from arena.line import Line
from arena.live import LiveTurn
from arena.observing import metrics
from arena.protocol import ClientFrame, ResumeFrame, ServerFrame
from arena.selectors import people
from arena.selectors.sessions import standing_claims
from arena.types import RefusalCode
from arena.visitors import lines_of, of_scope
from inference.database import in_thread

logger = logging.getLogger(__name__)

MISBEHAVED = 1008  # the protocol's own code: what was said breaks the rules
TIRED = 4408
TOO_MANY = 4429
FIRST_FRAME_S = 30.0
"""A page opens its socket to say something."""
IDLE_S = 1800.0
"""Of a socket on which nobody says anything and nothing is written. Its page opens another one when it needs it."""


class BattleConsumer(AsyncWebsocketConsumer):
    """A frame is judged in memory first: what comes too fast, or is none, never reaches the database."""

    _line: Line
    _lines: dict[str, int] | None = None
    _conduct: Conduct
    _guest: Guest | None = None
    _follower: asyncio.Task[None] | None = None
    _patience: asyncio.TimerHandle | None = None
    _closing: asyncio.Task[None] | None = None
    _is_counted = False

    async def connect(self) -> None:
        if protocol.SUBPROTOCOL not in self.scope["subprotocols"]:
            raise DenyConnection
        session = self.scope["session"]
        participant_id = await in_thread(sessions.participant_id)(session)
        await self.accept(protocol.SUBPROTOCOL)
        logger.info("socket opened")
        self._is_counted = True
        metrics.socket(1)
        address = of_scope(self.scope)
        self._lines = lines_of(participant_id, address)
        if not crowd.enter(self._lines):
            self._lines = None
            await self._send(protocol.refused(RefusalCode.TOO_MANY_LINES))
            self._end(TOO_MANY)
            return
        self._line, self._conduct = Line(participant_id, address=address), Conduct()
        self._wait(FIRST_FRAME_S)
        if participant_id is not None and session.session_key is not None:
            self._guest = Guest(
                (session.session_key, participant_id), partial(self._show_out, participant_id)
            )
            doorkeeper.admit(self._guest)

    async def disconnect(self, code: int) -> None:
        self._unfollow()
        if self._patience is not None:
            self._patience.cancel()
        if self._lines is not None:
            crowd.leave(self._lines)
            self._lines = None
        if self._guest is not None:
            doorkeeper.dismiss(self._guest)
        if self._is_counted:
            logger.info("socket closed with %s", code)
            self._is_counted = False
            metrics.socket(-1)

    async def _show_out(self, participant_id: UUID) -> None:
        """Whoever was banned is told so; the others know what they did."""
        self._unfollow()
        if await in_thread(people.is_banned)(participant_id):
            await self._send(protocol.refused(RefusalCode.BANNED))
        await self.close(NO_LONGER_WELCOME)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self._closing is not None:
            return
        if not self._conduct.may_send():
            await self._strike(Refused(RefusalCode.TOO_FAST, retry_s=1))
            return
        self._wait(IDLE_S)
        try:
            frame = protocol.parse(text_data or "")
        except Refused as refusal:
            await self._strike(refusal)
            return
        if self._guest is not None and not await in_thread(standing_claims)([self._guest.claim]):
            doorkeeper.dismiss(self._guest)
            await self._guest.show_out()
            return
        await self._take(frame)

    async def _take(self, frame: ClientFrame) -> None:
        try:
            if isinstance(frame, ResumeFrame):
                self._unfollow()
            reply = await self._line.take(frame)
        except Refused as refusal:
            await self._send(protocol.refused(refusal.code, refusal.retry_s))
            return
        for each in reply.frames:
            await self._send(each)
        if reply.live is not None:
            self._follow(reply.live)

    async def _strike(self, refusal: Refused) -> None:
        await self._send(protocol.refused(refusal.code, refusal.retry_s))
        if self._conduct.is_enough():
            self._end(MISBEHAVED)

    def _wait(self, patience_s: float) -> None:
        """For the next frame, so long."""
        if self._patience is not None:
            self._patience.cancel()
        self._patience = asyncio.get_running_loop().call_later(patience_s, self._tire)

    def _tire(self) -> None:
        if self._follower is not None and not self._follower.done():
            self._wait(IDLE_S)
        else:
            self._end(TIRED)

    def _end(self, code: int) -> None:
        """Close it, once; what still comes meanwhile is let lie."""
        if self._closing is None:
            self._unfollow()
            self._closing = asyncio.create_task(self.close(code))

    def _follow(self, live: LiveTurn) -> None:
        self._unfollow()
        self._follower = asyncio.create_task(self._relay(live))

    def _unfollow(self) -> None:
        if self._follower is not None:
            self._follower.cancel()
            self._follower = None

    async def _relay(self, live: LiveTurn) -> None:
        try:
            async with aclosing(self._line.follow(live)) as frames:
                async for frame in frames:
                    await self._send(frame)
        except DatabaseError:
            logger.warning("a battle that was lost could not be read; its page will ask again")
            await self.close()

    async def _send(self, frame: ServerFrame) -> None:
        metrics.told(frame)
        await self.send(text_data=protocol.encode(frame))

    async def send(self, *args: Any, **kwargs: Any) -> None:
        """Send; a socket that closed meanwhile is no error: the runner goes on, and a resume finds the rest."""
        try:
            await super().send(*args, **kwargs)
        except (RuntimeError, OSError):
            logger.debug("a socket closed while a frame was on its way")
            self._unfollow()
