"""What attackers find: volunteers with battles in every state, and how their browsers ask."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from arena.models import Battle, Campaign, Participant
from arena.services import battles
from arena.types import BattleStatus, Side
from tests.arena.builders import begin, complete, failed, finish, make_participant, ready_battle
from tests.arena.test_socket import cookie_of

TOKEN = "t" * 32
"""Of forms; the cookie holds the same, as a browser's does."""
PATIENT = {
    "LEHIA_LIMITS_SCALE": "1000000",
    "LEHIA_LINES_PER_ADDRESS": "100000",
    "LEHIA_LINES_PER_PERSON": "100000",
}
"""Limits would refuse most of an attack before it reaches what is attacked here; they have tests of their own."""


@dataclass
class Volunteer:
    participant: Participant
    cookie: str
    battles: dict[UUID, str] = field(default_factory=dict)
    """Their state."""


def volunteer(campaign: Campaign, ready: int) -> Volunteer:
    """One with so many battles that can be voted for, and one in each other state."""
    own = make_participant(campaign)
    made = Volunteer(own, cookie_of(own))
    for _ in range(ready):
        made.battles[ready_battle(own).pk] = "ready"
    made.battles[begin(own).battle_id] = "answering"
    made.battles[finish(begin(own), complete(Side.A), failed(Side.B)).pk] = "failed"
    left = ready_battle(own)
    battles.abandon(participant_id=own.pk, battle_id=left.pk)
    made.battles[left.pk] = "abandoned"
    return made


def still(made: Volunteer) -> dict[UUID, str]:
    """The states as the database has them, of those that could have been voted for or not."""
    known = {
        BattleStatus.READY.value: "ready",
        BattleStatus.VOTED.value: "voted",
        BattleStatus.ABANDONED.value: "abandoned",
    }
    found = Battle.objects.filter(participant=made.participant).values_list("pk", "status")
    return {key: known.get(status, made.battles.get(key, "?")) for key, status in found}
