"""Reads of ordered exports."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from arena.models import ExportJob, User
from arena.models.export_jobs import UNDER_WAY
from arena.types import ExportState

DAY = timedelta(days=1)
UNHEARD = timedelta(minutes=1)
"""So long an order waits for a worker that was told of it; then beat looks after it."""


def jobs_of(user: User) -> QuerySet[ExportJob]:
    """What an account ordered, newest first, with each file's own facts."""
    return ExportJob.objects.filter(by=user).select_related("export")


def job_of(job_id: UUID, user: User) -> ExportJob | None:
    """For everybody but who ordered it there is none. One query."""
    return jobs_of(user).filter(pk=job_id).first()


def one_under_way(user: User) -> bool:
    return ExportJob.objects.filter(by=user, state__in=UNDER_WAY).exists()


def ordered_in_a_day(user: User) -> int:
    """Of the last 24 hours, whatever became of them."""
    return ExportJob.objects.filter(by=user, created_at__gt=timezone.now() - DAY).count()


def unattended_jobs() -> list[ExportJob]:
    """Whose worker died, and those that none has heard of."""
    now = timezone.now()
    dead = ExportJob.objects.filter(state=ExportState.RUNNING.value, claimed_until__lt=now)
    unheard = ExportJob.objects.filter(state=ExportState.QUEUED.value, created_at__lt=now - UNHEARD)
    return list((dead | unheard).order_by("created_at"))
