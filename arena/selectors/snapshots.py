"""Reads of published boards."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from ranking.models import Board, Snapshot, SnapshotReport
from ranking.types import Criterion, TieRule


def snapshots_of(*, board: Board, criterion: Criterion, ties: TieRule = TieRule.HALF) -> QuerySet[Snapshot]:
    """Snapshots of the whole board by one tie rule, which share a scale; newest first."""
    return Snapshot.objects.filter(
        board=board, criterion=criterion.value, ties=ties.value, slice=""
    ).order_by("-created_at", "-pk")


def snapshots_before(
    found: QuerySet[Snapshot], place: tuple[datetime, UUID] | None, *, most: int
) -> list[Snapshot]:
    """At most *most* of :func:`snapshots_of` that come after the one at *place*, what they hold left out; from the newest without a place. One query.

    Who goes on from the last one's place reads every snapshot there was at the beginning, and none twice, whatever is published meanwhile.
    """
    if place is not None:
        moment, key = place
        found = found.filter(Q(created_at__lt=moment) | Q(created_at=moment, pk__lt=key))
    return list(found.select_related("board").defer("payload", "covariance")[:most])


def latest_snapshot(*, board: Board, criterion: Criterion, ties: TieRule) -> Snapshot | None:
    """When and how the last one was made; what it holds is not read. One query."""
    return (
        snapshots_of(board=board, criterion=criterion, ties=ties)
        .only("pk", "board_id", "created_at", "cluster", "n_votes", "tally_checksum")
        .first()
    )


def report_on(snapshot: Snapshot, *, report: str, part: str = "") -> SnapshotReport | None:
    """What was stored of a report, or of a part of it, beside a published board. One query."""
    return SnapshotReport.objects.filter(snapshot_id=snapshot.pk, report=report, part=part).first()


def evenly(found: QuerySet[Snapshot], most: int) -> list[Snapshot]:
    """At most *most* snapshots with what they hold, oldest first, at about even numbers apart; the first and the last are among them. Two queries."""
    keys = [*found.values_list("pk", flat=True)][::-1]
    if len(keys) > most:
        keys = [keys[round(place * (len(keys) - 1) / (most - 1))] for place in range(most)]
    held = Snapshot.objects.defer("covariance").in_bulk(keys)
    return [held[key] for key in keys]


def as_json(snapshot: Snapshot) -> dict[str, Any]:
    """The whole row. Its checksum can be computed again from it, as :func:`ranking.services.snapshots.checksum` does."""
    names = [field.name for field in Snapshot._meta.concrete_fields]
    whole = {
        name: getattr(snapshot, name) for name in names if name not in {"id", "board", "cut_at", "created_at"}
    }
    return {
        "id": str(snapshot.pk),
        "board": snapshot.board.slug,
        "cut_at": snapshot.cut_at.isoformat(),
        "created_at": snapshot.created_at.isoformat(),
        **whole,
    }
