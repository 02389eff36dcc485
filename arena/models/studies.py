"""Analyses of a part of a published board's votes that somebody asked for."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ranking.models import Snapshot


class Study(models.Model):
    """One analysis of one selection: waiting until it is *finished_at*, then with its numbers, or with what was raised instead.

    The snapshot says which board, criterion and moment. *asked* is the selection in its canonical form. Old ones are deleted, and computed again for who asks.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="+")
    analysis = models.CharField(_("analysis"), max_length=10)
    by = models.CharField(max_length=10)
    asked = models.CharField(_("filters"), max_length=1000, blank=True)
    payload = models.JSONField(null=True)
    failure = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("analysis of a part of the votes")
        verbose_name_plural = _("analyses of parts of the votes")
        indexes: ClassVar = [
            models.Index(fields=["created_at"], condition=models.Q(finished_at=None), name="study_waiting")
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["snapshot", "analysis", "by", "asked"], name="study_once")
        ]

    def __str__(self) -> str:
        return f"{self.snapshot_id} {self.analysis} {self.asked}"
