"""What a runner needs to answer a turn: built by the services, free of the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from arena.types import Display, Side
from inference.types import GenerationRequest


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """A side that is complete already while the other one is tried again."""

    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class TurnPlan:
    """*attempts* count how often each side was asked, this time included."""

    battle_id: UUID
    turn_id: UUID
    turn_index: int
    requests: Mapping[Side, GenerationRequest]
    kept: Mapping[Side, KeptAnswer] = field(default_factory=dict)
    display: Display = Display.PACED
    attempts: Mapping[Side, int] = field(default_factory=lambda: dict.fromkeys(Side, 1))


@dataclass(frozen=True, slots=True)
class Lease:
    """Which process answers a turn."""

    battle_id: UUID
    turn_id: UUID
    turn_index: int
    runner_id: UUID
    attempts: Mapping[Side, int] = field(compare=False)
