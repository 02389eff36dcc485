"""How the whole is doing: the one thing that volunteers are told of model servers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from inference.models import ModelEndpoint
from inference.types import CircuitState, EndpointHealth, EndpointStatus

_LEAST = 2  # a battle needs two


class Whole(StrEnum):
    WELL = "well"
    SLOW = "slow"
    TOO_FEW = "too_few"


@dataclass(frozen=True, slots=True)
class AtWork:
    """An endpoint that may be drawn, as far as the whole is concerned."""

    candidate_id: UUID
    health: EndpointHealth
    circuit: CircuitState = CircuitState.CLOSED

    @property
    def answers(self) -> bool:
        return self.health is not EndpointHealth.DOWN and self.circuit is not CircuitState.OPEN


def whole() -> Whole:
    """The state of the active endpoints together. One query. It must say nothing about any of them: that would unblind."""
    return judge_whole(_active())


def answering_candidates() -> int:
    """How many can be drawn. One query. For operators: it says nothing about any of them."""
    return len({each.candidate_id for each in _active() if each.answers})


def _active() -> list[AtWork]:
    rows = ModelEndpoint.objects.filter(status=EndpointStatus.ACTIVE.value).values_list(
        "candidate_id", "health", "circuit__state"
    )
    return [
        AtWork(candidate_id, EndpointHealth(health), CircuitState(circuit or CircuitState.CLOSED))
        for candidate_id, health, circuit in rows
    ]


def judge_whole(endpoints: Iterable[AtWork]) -> Whole:
    """``TOO_FEW`` below two candidates that answer, ``SLOW`` where one of those has only degraded endpoints left."""
    best: dict[UUID, bool] = {}
    for each in endpoints:
        if each.answers:
            is_well = each.health is not EndpointHealth.DEGRADED
            best[each.candidate_id] = best.get(each.candidate_id, False) or is_well
    if len(best) < _LEAST:
        return Whole.TOO_FEW
    return Whole.WELL if all(best.values()) else Whole.SLOW
