"""The battle's socket: parses a frame, hands it to the line, follows what the runner writes.

Handlers return at once: Channels delivers no further frame, and no disconnect, until they do. Following is a task of its own.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from typing import Any

from channels.exceptions import DenyConnection
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError

from arena import protocol, sessions
from arena.errors import Refused
from arena.line import Line
from arena.live import LiveTurn
from arena.protocol import ResumeFrame, ServerFrame
from inference.database import in_thread

logger = logging.getLogger(__name__)


class BattleConsumer(AsyncWebsocketConsumer):
    _line: Line
    _follower: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        if protocol.SUBPROTOCOL not in self.scope["subprotocols"]:
            raise DenyConnection
        self._line = Line(await in_thread(sessions.participant_id)(self.scope["session"]))
        await self.accept(protocol.SUBPROTOCOL)

    async def disconnect(self, code: int) -> None:
        self._unfollow()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            frame = protocol.parse(text_data or "")
            if isinstance(frame, ResumeFrame):
                self._unfollow()
            reply = await self._line.take(frame)
        except Refused as refusal:
            await self._send(protocol.refused(refusal.code))
            return
        for each in reply.frames:
            await self._send(each)
        if reply.live is not None:
            self._follow(reply.live)

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
        await self.send(text_data=protocol.encode(frame))

    async def send(self, *args: Any, **kwargs: Any) -> None:
        """Send; a socket that closed meanwhile is no error: the runner goes on, and a resume finds the rest."""
        try:
            await super().send(*args, **kwargs)
        except (RuntimeError, OSError):
            logger.debug("a socket closed while a frame was on its way")
            self._unfollow()
