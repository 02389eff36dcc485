"""Who exported what, and the keys that pseudonyms are made with."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from arena.models.people import User


class ExportKey(models.Model):
    """A key by its name: exports under one name call the same person the same, those under another do not."""

    name = models.CharField(
        _("name"), max_length=60, unique=True, validators=[RegexValidator(r"\A[a-z0-9][a-z0-9._-]*\Z")]
    )
    token = models.TextField(editable=False)
    created_at = models.DateTimeField(_("since"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("key of exports")
        verbose_name_plural = _("keys of exports")
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Export(models.Model):
    """One file that was given away. Rows are added, never changed or deleted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
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
    key = models.ForeignKey(
        ExportKey,
        null=True,
        on_delete=models.PROTECT,
        related_name="exports",
        verbose_name=_("key of exports"),
        help_text=_("None where votes of other arenas were exported: their names are as they came."),
    )
    layout = models.CharField(_("layout"), max_length=24)
    format = models.CharField(_("format"), max_length=12)
    filters = models.JSONField(_("filters"), default=dict)
    cutoff = models.DateTimeField(_("cut-off"))
    rows = models.PositiveBigIntegerField(_("rows"))
    size_bytes = models.PositiveBigIntegerField(_("size (bytes)"))
    sha256 = models.CharField("SHA-256", max_length=64)
    version = models.CharField(_("version of the code"), max_length=40)
    created_at = models.DateTimeField(_("at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.layout} {self.created_at:%Y-%m-%d}"
