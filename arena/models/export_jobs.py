"""Exports that were ordered on the site's pages: how far each is, and where its file lies."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from arena.models.exports import Export
from arena.models.people import User
from arena.types import ExportProblem, ExportState

UNDER_WAY = (ExportState.QUEUED.value, ExportState.RUNNING.value)


class ExportJob(models.Model):
    """An ordered export. While it runs, the process that made up *runner* holds it until *claimed_until*."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    by = models.ForeignKey(
        User,
        null=True,
        on_delete=models.SET_NULL,
        related_name="export_jobs",
        verbose_name=_("by"),
        help_text=_("Nobody where the account was deleted since."),
    )
    layout = models.CharField(_("layout"), max_length=24)
    format = models.CharField(_("format"), max_length=12)
    filters = models.JSONField(_("filters"))
    key = models.CharField(_("key of exports"), max_length=60)
    state = models.CharField(
        _("state"),
        max_length=9,
        default=ExportState.QUEUED.value,
        choices=[
            (ExportState.QUEUED.value, _("waiting")),
            (ExportState.RUNNING.value, _("being written")),
            (ExportState.DONE.value, _("ready")),
            (ExportState.FAILED.value, _("failed")),
            (ExportState.CANCELLED.value, _("cancelled")),
            (ExportState.EXPIRED.value, _("deleted")),
        ],
    )
    battles_done = models.PositiveBigIntegerField(_("battles so far"), default=0)
    battles = models.PositiveBigIntegerField(_("battles"))
    people = models.PositiveBigIntegerField(_("people"))
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    runner = models.UUIDField(null=True, editable=False)
    claimed_until = models.DateTimeField(null=True, editable=False)
    problem = models.CharField(_("problem"), max_length=16, blank=True)
    details = models.TextField(_("details"), blank=True)
    file = models.CharField(_("file"), max_length=200, blank=True)
    export = models.OneToOneField(
        Export, null=True, on_delete=models.PROTECT, related_name="job", verbose_name=_("export")
    )
    created_at = models.DateTimeField(_("ordered"), default=timezone.now, editable=False)
    started_at = models.DateTimeField(_("started"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    expires_at = models.DateTimeField(_("kept until"), null=True)

    class Meta:
        verbose_name = _("ordered export")
        verbose_name_plural = _("ordered exports")
        ordering: ClassVar = ["-created_at"]
        permissions: ClassVar = [
            ("order_exports", "Can order exports on the pages for researchers"),
            ("export_any_licence", "Can export texts that may not be published"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="export_job_state_known",
                condition=models.Q(state__in=[each.value for each in ExportState]),
            ),
            models.CheckConstraint(
                name="export_job_problem_known",
                condition=models.Q(problem__in=["", *[each.value for each in ExportProblem]]),
            ),
            models.CheckConstraint(
                name="export_job_held_while_it_runs",
                condition=models.Q(
                    state=ExportState.RUNNING.value, runner__isnull=False, claimed_until__isnull=False
                )
                | (
                    ~models.Q(state=ExportState.RUNNING.value)
                    & models.Q(runner__isnull=True, claimed_until__isnull=True)
                ),
            ),
            models.CheckConstraint(
                name="export_job_has_a_file_while_done",
                condition=models.Q(
                    state=ExportState.DONE.value, export__isnull=False, expires_at__isnull=False
                )
                & ~models.Q(file="")
                | ~models.Q(state=ExportState.DONE.value) & models.Q(file=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.layout} {self.created_at:%Y-%m-%d}"

    @property
    def is_under_way(self) -> bool:
        return self.state in UNDER_WAY

    @property
    def folder(self) -> Path:
        """Of its own, a folder in it for each attempt."""
        return Path(settings.LEHIA_EXPORTS) / str(self.pk)

    @property
    def path(self) -> Path:
        """Of its file, while it is done."""
        return self.folder / self.file
