"""The battle's socket: parses a frame, calls one service, follows what the runner writes.

Handlers return at once: Channels delivers no further frame, and no disconnect, until they do. Following is a task of its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async
from channels.exceptions import DenyConnection
from channels.generic.websocket import AsyncWebsocketConsumer

from arena import protocol, runner, sessions
from arena.errors import Refused
from arena.live import LiveTurn
from arena.protocol import ResumeFrame, RetryFrame, ServerFrame, StopFrame, TurnFrame
from arena.selectors import battles as battle_reads
from arena.selectors import people
from arena.services import battles
from arena.types import RefusalCode, Side

logger = logging.getLogger(__name__)


class BattleConsumer(AsyncWebsocketConsumer):
    participant_id: UUID | None = None
    battle_id: UUID | None = None
    _follower: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        if protocol.SUBPROTOCOL not in self.scope["subprotocols"]:
            raise DenyConnection
        self.participant_id = await database_sync_to_async(sessions.participant_id)(self.scope["session"])
        await self.accept(protocol.SUBPROTOCOL)

    async def disconnect(self, code: int) -> None:
        self._unfollow()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            match protocol.parse(text_data or ""):
                case TurnFrame() as frame:
                    await self._turn(frame)
                case StopFrame():
                    self._stop()
                case RetryFrame() as frame:
                    await self._retry(frame)
                case ResumeFrame() as frame:
                    await self._resume(frame)
        except Refused as refusal:
            await self._send(protocol.refused(refusal.code))

    async def _turn(self, frame: TurnFrame) -> None:
        begun = await database_sync_to_async(battles.begin_turn)(
            participant_id=self.participant_id,
            battle_id=self.battle_id,
            text=frame.text,
            key=frame.key,
            runner_id=runner.current().id,
        )
        self.battle_id = begun.battle_id
        if begun.plan is None:
            await self._show({})
        else:
            self._follow(runner.current().start(begun.plan), {})

    def _stop(self) -> None:
        if self.battle_id is not None:
            runner.current().stop(self.battle_id)

    async def _retry(self, frame: RetryFrame) -> None:
        if self.battle_id is None:
            raise Refused(RefusalCode.NOT_FOUND)
        plan = await database_sync_to_async(battles.retry_side)(
            participant_id=self.participant_id,
            battle_id=self.battle_id,
            side=frame.side,
            runner_id=runner.current().id,
        )
        self._follow(runner.current().start(plan), {})

    async def _resume(self, frame: ResumeFrame) -> None:
        self._unfollow()
        self.battle_id = None
        offsets = {Side.A: frame.offsets.a, Side.B: frame.offsets.b}
        await self._show(offsets, frame.battle)

    async def _show(self, offsets: Mapping[Side, int], battle_id: UUID | None = None) -> None:
        """The battle as it stands: from the runner while it writes, from the database otherwise.

        The runner is asked first: a turn that it stores meanwhile is then read either from the live turn, which ends
        properly for late followers, or from the database afterwards.
        """
        wanted = battle_id or self.battle_id
        live = runner.current().find(wanted) if wanted is not None else None
        frames = await database_sync_to_async(self._stored)(wanted, offsets)
        self.battle_id = wanted
        if live is not None:
            self._follow(live, offsets)
            return
        for frame in frames:
            await self._send(frame)

    def _stored(self, battle_id: UUID | None, offsets: Mapping[Side, int]) -> list[ServerFrame]:
        participant = people.participant_or_none(self.participant_id)
        battle = battle_reads.battle_of(battle_id, participant) if battle_id is not None else None
        if battle is None:
            raise Refused(RefusalCode.NOT_FOUND)
        return battle_reads.stored_frames(battle, offsets)

    def _follow(self, live: LiveTurn, offsets: Mapping[Side, int]) -> None:
        self._unfollow()
        self._follower = asyncio.create_task(self._relay(live, offsets))

    def _unfollow(self) -> None:
        if self._follower is not None:
            self._follower.cancel()
            self._follower = None

    async def _relay(self, live: LiveTurn, offsets: Mapping[Side, int]) -> None:
        async with aclosing(live.follow(offsets)) as frames:
            async for frame in frames:
                await self._send(frame)

    async def _send(self, frame: ServerFrame) -> None:
        await self.send(text_data=protocol.encode(frame))

    async def send(self, *args: Any, **kwargs: Any) -> None:
        """Send; a socket that closed meanwhile is no error: the runner goes on, and a resume finds the rest."""
        try:
            await super().send(*args, **kwargs)
        except (RuntimeError, OSError):
            logger.debug("a socket closed while a frame was on its way")
            self._unfollow()
