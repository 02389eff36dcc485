"""How control pairs went. For staff alone: volunteers are never told which pairs are controls."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from arena.models import Control, Exclusion
from arena.types import BattleStatus
from ranking.filters import ExclusionReason
from ranking.models import Board

_FAILED = Exists(
    Exclusion.objects.filter(
        vote__battle=OuterRef("battle"), reason=ExclusionReason.FAILED_CONTROL.value, lifted_at=None
    )
)
_JUDGED = Q(battle__status=BattleStatus.VOTED.value)


@dataclass(frozen=True, slots=True)
class ControlRate:
    """Of a campaign's controls of a kind: how many were given, judged, and failed."""

    campaign: str
    kind: str
    given: int
    judged: int
    failed: int

    @property
    def percent(self) -> float | None:
        """The share of those judged that were failed."""
        return 100 * self.failed / self.judged if self.judged else None


def control_rates() -> list[ControlRate]:
    """One query."""
    rows = Control.objects.values("battle__campaign__name", "kind").annotate(
        given=Count("pk"), judged=Count("pk", filter=_JUDGED), failed=Count("pk", filter=_FAILED)
    )
    found = rows.order_by("battle__campaign__name", "kind").values_list(
        "battle__campaign__name", "kind", "given", "judged", "failed"
    )
    return [ControlRate(*row) for row in found]


def with_outcome(controls: QuerySet[Control]) -> QuerySet[Control]:
    """Each with *has_failed*. No query of its own."""
    return controls.annotate(has_failed=_FAILED)


def controls_judged(board: Board, participants: Collection[UUID]) -> dict[UUID, tuple[int, int]]:
    """By participant, how many controls of the board's campaigns they judged, and how many of these they failed; without those who judged none. One query."""
    judged = Control.objects.filter(
        _JUDGED, battle__campaign__board=board, battle__participant__in=participants
    )
    rows = judged.values("battle__participant").annotate(
        judged=Count("pk"), failed=Count("pk", filter=_FAILED)
    )
    return {
        who: (n, failed) for who, n, failed in rows.values_list("battle__participant", "judged", "failed")
    }
