"""The server's end of ``lehia.v1``, whatever carries its frames: a socket, or requests where sockets are blocked."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from uuid import UUID

from arena import runner
from arena.errors import Refused
from arena.live import LiveTurn
from arena.models import Battle
from arena.observing import context
from arena.plan import Lease
from arena.protocol import ClientFrame, Held, ResumeFrame, RetryFrame, ServerFrame, StopFrame, TurnFrame
from arena.selectors import battles as battle_reads
from arena.selectors import people
from arena.services import battles, cooldown, limits, turns
from arena.types import RefusalCode, Side
from inference.database import in_thread


@dataclass(frozen=True, slots=True)
class Reply:
    """What a frame sets off: frames to send at once, then a turn to follow."""

    frames: Sequence[ServerFrame] = ()
    live: LiveTurn | None = None


class Line:
    """One page of one participant. Keeps what the page holds, so that one follower at a time may read from it."""

    def __init__(
        self, participant_id: UUID | None, battle_id: UUID | None = None, *, address: str = ""
    ) -> None:
        self._participant_id = participant_id
        self._address = address
        self._battle_id = battle_id
        self._held: dict[Side, Held] = {}
        self._turn_held = 0

    async def take(self, frame: ClientFrame) -> Reply:
        """Do what a frame asks. Raises :class:`Refused`."""
        if isinstance(frame, (TurnFrame, RetryFrame)):
            await self._count()
        match frame:
            case TurnFrame():
                return await self._turn(frame)
            case RetryFrame():
                return await self._retry(frame)
            case ResumeFrame():
                return await self._resume(frame)
            case StopFrame():
                await self._stop()
        return Reply()

    async def _count(self) -> None:
        """Each message and retry costs answers. Raises :class:`Refused`."""
        wait_s = await in_thread(limits.wait_for)(
            limits.Doing.MESSAGE, person=self._participant_id, address=self._address
        )
        if wait_s is not None:
            raise Refused(RefusalCode.TOO_FAST, wait_s)
        await in_thread(cooldown.note_message)(self._address)

    async def follow(self, live: LiveTurn | None) -> AsyncGenerator[ServerFrame, None]:
        """Frames until the turn is over, whichever process goes on with it. Raises :class:`django.db.DatabaseError`."""
        while live is not None:
            battle_id = live.battle_id
            async with aclosing(live.follow(self._held)) as frames:
                async for frame in frames:
                    yield frame
            if live.ended:
                return
            # its process is gone, or what it wrote does not get here
            reply = await self._stand(battle_id)
            for frame in reply.frames:
                yield frame
            live = reply.live

    async def _turn(self, frame: TurnFrame) -> Reply:
        begun = await in_thread(battles.begin_turn)(
            participant_id=self._participant_id,
            battle_id=self._battle_id,
            text=frame.text,
            key=frame.key,
            still=frame.still,
            runner_id=runner.current().id,
        )
        self._battle_id = begun.battle_id
        context.learn(battle=begun.battle_id)
        self._held, self._turn_held = {}, 0
        if begun.plan is None:
            return await self._stand(begun.battle_id)
        return Reply(live=runner.current().start(begun.plan))

    async def _stop(self) -> None:
        """Their own battle's alone: a request names the battle that it is about, and may name anybody's."""
        if self._battle_id is None:
            return
        await in_thread(self._own)(self._battle_id)
        await runner.current().stop_anywhere(self._battle_id)

    async def _retry(self, frame: RetryFrame) -> Reply:
        if self._battle_id is None:
            raise Refused(RefusalCode.NOT_FOUND)
        plan = await in_thread(battles.retry_side)(
            participant_id=self._participant_id,
            battle_id=self._battle_id,
            side=frame.side,
            runner_id=runner.current().id,
        )
        return Reply(live=runner.current().start(plan))

    async def _resume(self, frame: ResumeFrame) -> Reply:
        self._battle_id = None
        offsets, attempts = frame.offsets, frame.attempts
        self._held = {Side.A: Held(offsets.a, attempts.a), Side.B: Held(offsets.b, attempts.b)}
        self._turn_held = frame.turn
        reply = await self._stand(frame.battle)
        self._battle_id = frame.battle
        context.learn(battle=frame.battle)
        return reply

    async def _stand(self, battle_id: UUID) -> Reply:
        """The turn that is being written, here or in another process; where none is, what is stored.

        The runner is asked first: a turn that it stores meanwhile is then read either from the live turn, which ends
        properly for late followers, or from the database afterwards.
        """
        live = runner.current().find(battle_id)
        lease, frames = await in_thread(self._stored)(battle_id, is_live=live is not None)
        if live is None and lease is not None:
            live = runner.current().find(lease.battle_id) or runner.current().mirror(lease)
        if live is not None:
            self._turn_to(live.turn_index)
        return Reply(() if live is not None else frames, live)

    def _stored(self, battle_id: UUID, *, is_live: bool) -> tuple[Lease | None, list[ServerFrame]]:
        """Who answers the participant's battle elsewhere; where nobody does, what is stored of it."""
        battle = self._own(battle_id)
        if battle.participant.banned_at is not None:
            raise Refused(RefusalCode.BANNED)
        if is_live:
            return None, []
        lease = battle_reads.lease_of(battle.pk)
        if lease is not None and turns.standing_leases([lease]):
            return lease, []
        battle.refresh_from_db(fields=["status"])
        self._turn_to(battle_reads.last_turn(battle.pk))
        return None, battle_reads.stored_frames(battle, self._held)

    def _own(self, battle_id: UUID) -> Battle:
        """Raises :class:`Refused` where it is not the participant's."""
        battle = battle_reads.battle_of(battle_id, people.participant_or_none(self._participant_id))
        if battle is None:
            raise Refused(RefusalCode.NOT_FOUND)
        return battle

    def _turn_to(self, turn: int) -> None:
        """What the page holds of another turn than the one that it is told of is nothing of this one."""
        if self._turn_held not in {0, turn}:
            self._held = {}
        self._turn_held = turn
