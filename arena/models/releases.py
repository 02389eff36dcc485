"""Releases: votes frozen under a name, their files, what happened to them, and which of their rows were taken back."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from arena.models.exports import ExportKey
from arena.models.people import User
from arena.types import ReleaseAct, ReleaseState

_STATES = [
    (ReleaseState.DRAFT.value, _("draft")),
    (ReleaseState.HELD.value, _("on hold")),
    (ReleaseState.FINAL.value, _("final")),
]
_ACTS = [
    (ReleaseAct.PREPARED.value, _("prepared")),
    (ReleaseAct.HELD.value, _("files made, hold begun")),
    (ReleaseAct.REBUILT.value, _("files made anew")),
    (ReleaseAct.FINISHED.value, _("made final")),
    (ReleaseAct.TAKEN_BACK.value, _("rows taken back")),
    (ReleaseAct.PUSHED.value, _("sent to the Hugging Face hub")),
]


class Release(models.Model):
    """What is frozen: the cut-off, the filters, the files. ``arena.services.releases`` moves it on."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.CharField(
        _("code"),
        max_length=50,
        unique=True,
        validators=[RegexValidator(r"\A[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\Z")],
        help_text=_("In addresses and in files, for good: small letters, digits, points and hyphens."),
    )
    name = models.CharField(_("name"), max_length=120)
    filters = models.JSONField(_("filters"), default=dict)
    cutoff = models.DateTimeField(_("cut-off"))
    contents = models.JSONField(_("files"), default=list)
    hold_days = models.PositiveSmallIntegerField(_("days on hold"))
    state = models.CharField(_("state"), max_length=8, choices=_STATES, default=ReleaseState.DRAFT.value)
    key = models.ForeignKey(ExportKey, on_delete=models.PROTECT, related_name="+", editable=False)
    created_at = models.DateTimeField(_("at"), default=timezone.now, editable=False)
    held_at = models.DateTimeField(_("on hold since"), null=True, blank=True)
    hold_until = models.DateTimeField(_("on hold until"), null=True, blank=True)
    final_at = models.DateTimeField(_("final since"), null=True, blank=True)
    build = models.CharField(max_length=32, blank=True, editable=False)
    removals_noted = models.PositiveIntegerField(default=0, editable=False)
    removals_built = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("release")
        verbose_name_plural = _("releases")
        ordering: ClassVar = ["-cutoff", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="release_is_built_from_its_hold_on",
                condition=models.Q(state=ReleaseState.DRAFT.value, build="", held_at=None)
                | (~models.Q(state=ReleaseState.DRAFT.value) & ~models.Q(build="") & ~models.Q(held_at=None)),
            ),
            models.CheckConstraint(
                name="release_is_final_at_a_time",
                condition=models.Q(state=ReleaseState.FINAL.value, final_at__isnull=False)
                | (~models.Q(state=ReleaseState.FINAL.value) & models.Q(final_at=None)),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_behind(self) -> bool:
        """Whether something was taken back that the files of a release on hold still have: nobody is given them until they are made anew."""
        return self.state == ReleaseState.HELD.value and self.removals_noted != self.removals_built


class ReleaseFile(models.Model):
    """A file as it lies there now."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(_("name"), max_length=60)
    layout = models.CharField(_("layout"), max_length=24, blank=True)
    rows = models.PositiveBigIntegerField(_("rows"), null=True)
    size_bytes = models.PositiveBigIntegerField(_("size (bytes)"))
    sha256 = models.CharField("SHA-256", max_length=64)

    class Meta:
        verbose_name = _("file of a release")
        verbose_name_plural = _("files of releases")
        ordering: ClassVar = ["-layout", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="one_file_of_a_name_in_a_release", fields=["release", "name"])
        ]

    def __str__(self) -> str:
        return self.name


class ReleaseEvent(models.Model):
    """What was done. Rows are added, never changed."""

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="events")
    act = models.CharField(_("act"), max_length=12, choices=_ACTS)
    by = models.ForeignKey(
        User,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("by"),
        help_text=_(
            "Nobody where it was made on the server's command line, or whose account was deleted since."
        ),
    )
    about = models.CharField(_("about"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("act on a release")
        verbose_name_plural = _("acts on releases")
        ordering: ClassVar = ["created_at", "pk"]

    def __str__(self) -> str:
        return f"{self.release_id} {self.act}"


class ReleaseRemoval(models.Model):
    """A row of a final release that was taken back since, by its pseudonymous id: who has the files drops it."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="removals")
    row = models.UUIDField("id")
    noted_on = models.DateField(_("day"))

    class Meta:
        verbose_name = _("row taken back")
        verbose_name_plural = _("rows taken back")
        ordering: ClassVar = ["row"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="a_row_is_taken_back_once", fields=["release", "row"])
        ]

    def __str__(self) -> str:
        return str(self.row)
