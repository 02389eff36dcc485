"""What staff decided of passages that may be personal details."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from arena.models import Doubt
from arena.sanitizing import Decided, Decision, Kind


def decisions(
    battle_ids: Collection[UUID], *, kept_by: datetime | None = None
) -> dict[UUID, tuple[Decided, ...]]:
    """By the id of the message or the answer whose text it is; texts of which nothing was decided are left out. One query.

    For :func:`arena.sanitizing.sanitized`, which redacts all that is still open. What staff decided to keep after *kept_by* is left out as if it were:
    also where the decision is older and the passage was queued later, so that an export is repeated to the byte.
    """
    by_text: dict[UUID, list[Decided]] = defaultdict(list)
    decided = Doubt.objects.filter(turn__battle__in=battle_ids).exclude(decision=Decision.OPEN.value)
    if kept_by is not None:
        decided = decided.exclude(
            Q(found_at__gt=kept_by) | Q(decided_at__gt=kept_by), decision=Decision.KEEP.value
        )
    rows = decided.order_by().values_list("turn", "answer", "kind", "start", "end", "decision")
    for turn, answer, kind, start, end, said in rows:
        by_text[answer or turn].append(Decided(Kind(kind), start, end, Decision(said)))
    return {text: tuple(spans) for text, spans in by_text.items()}


def open_doubts() -> int:
    return Doubt.objects.filter(decision=Decision.OPEN.value).count()
