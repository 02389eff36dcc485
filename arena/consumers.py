"""The battle's socket: parses a frame, calls one service, follows what the runner writes.

Handlers return at once: Channels delivers no further frame, and no disconnect, until they do. Following is a task of its own.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from typing import Any
from uuid import UUID

from channels.exceptions import DenyConnection
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError

from arena import protocol, runner, sessions
from arena.errors import Refused
from arena.live import LiveTurn
from arena.plan import Lease
from arena.protocol import Held, ResumeFrame, RetryFrame, ServerFrame, StopFrame, TurnFrame
from arena.selectors import battles as battle_reads
from arena.selectors import people
from arena.services import battles, turns
from arena.types import RefusalCode, Side
from inference.database import in_thread

logger = logging.getLogger(__name__)


class BattleConsumer(AsyncWebsocketConsumer):
    participant_id: UUID | None = None
    battle_id: UUID | None = None
    _follower: asyncio.Task[None] | None = None

    def __init__(self) -> None:
        super().__init__()
        self._held: dict[Side, Held] = {}

    async def connect(self) -> None:
        if protocol.SUBPROTOCOL not in self.scope["subprotocols"]:
            raise DenyConnection
        self.participant_id = await in_thread(sessions.participant_id)(self.scope["session"])
        await self.accept(protocol.SUBPROTOCOL)

    async def disconnect(self, code: int) -> None:
        self._unfollow()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            match protocol.parse(text_data or ""):
                case TurnFrame() as frame:
                    await self._turn(frame)
                case StopFrame():
                    await self._stop()
                case RetryFrame() as frame:
                    await self._retry(frame)
                case ResumeFrame() as frame:
                    await self._resume(frame)
        except Refused as refusal:
            await self._send(protocol.refused(refusal.code))

    async def _turn(self, frame: TurnFrame) -> None:
        begun = await in_thread(battles.begin_turn)(
            participant_id=self.participant_id,
            battle_id=self.battle_id,
            text=frame.text,
            key=frame.key,
            runner_id=runner.current().id,
        )
        self.battle_id = begun.battle_id
        self._held = {}
        if begun.plan is None:
            await self._show()
        else:
            self._follow(runner.current().start(begun.plan))

    async def _stop(self) -> None:
        if self.battle_id is not None:
            await runner.current().stop_anywhere(self.battle_id)

    async def _retry(self, frame: RetryFrame) -> None:
        if self.battle_id is None:
            raise Refused(RefusalCode.NOT_FOUND)
        plan = await in_thread(battles.retry_side)(
            participant_id=self.participant_id,
            battle_id=self.battle_id,
            side=frame.side,
            runner_id=runner.current().id,
        )
        self._follow(runner.current().start(plan))

    async def _resume(self, frame: ResumeFrame) -> None:
        self._unfollow()
        self.battle_id = None
        offsets, attempts = frame.offsets, frame.attempts
        self._held = {Side.A: Held(offsets.a, attempts.a), Side.B: Held(offsets.b, attempts.b)}
        await self._show(frame.battle)

    async def _show(self, battle_id: UUID | None = None) -> None:
        """The battle as it stands: from whoever writes it, or else from the database."""
        wanted = battle_id or self.battle_id
        live = await self._stand(wanted)
        self.battle_id = wanted
        if live is not None:
            self._follow(live)

    async def _stand(self, battle_id: UUID | None) -> LiveTurn | None:
        """The turn that is being written, here or in another process; where none is, what is stored is sent.

        The runner is asked first: a turn that it stores meanwhile is then read either from the live turn, which ends
        properly for late followers, or from the database afterwards.
        """
        live = runner.current().find(battle_id) if battle_id is not None else None
        lease, frames = await in_thread(self._stored)(battle_id, is_live=live is not None)
        if live is None and lease is not None:
            live = runner.current().find(lease.battle_id) or runner.current().mirror(lease)
        if live is None:
            for frame in frames:
                await self._send(frame)
        return live

    def _stored(self, battle_id: UUID | None, *, is_live: bool) -> tuple[Lease | None, list[ServerFrame]]:
        """Who answers the participant's battle elsewhere; where nobody does, what is stored of it."""
        participant = people.participant_or_none(self.participant_id)
        battle = battle_reads.battle_of(battle_id, participant) if battle_id is not None else None
        if battle is None:
            raise Refused(RefusalCode.NOT_FOUND)
        if participant is not None and participant.banned_at is not None:
            raise Refused(RefusalCode.BANNED)
        if is_live:
            return None, []
        lease = battle_reads.lease_of(battle.pk)
        if lease is not None and turns.standing_leases([lease]):
            return lease, []
        battle.refresh_from_db(fields=["status"])
        return None, battle_reads.stored_frames(battle, self._held)

    def _follow(self, live: LiveTurn) -> None:
        self._unfollow()
        self._follower = asyncio.create_task(self._relay(live))

    def _unfollow(self) -> None:
        if self._follower is not None:
            self._follower.cancel()
            self._follower = None

    async def _relay(self, live: LiveTurn | None) -> None:
        while live is not None:
            battle_id = live.battle_id
            async with aclosing(live.follow(self._held)) as frames:
                async for frame in frames:
                    await self._send(frame)
            if live.ended:
                return
            try:  # its process is gone, or what it wrote does not get here
                live = await self._stand(battle_id)
            except DatabaseError:
                logger.warning("a battle that was lost could not be read; its page will ask again")
                await self.close()
                return

    async def _send(self, frame: ServerFrame) -> None:
        await self.send(text_data=protocol.encode(frame))

    async def send(self, *args: Any, **kwargs: Any) -> None:
        """Send; a socket that closed meanwhile is no error: the runner goes on, and a resume finds the rest."""
        try:
            await super().send(*args, **kwargs)
        except (RuntimeError, OSError):
            logger.debug("a socket closed while a frame was on its way")
            self._unfollow()
