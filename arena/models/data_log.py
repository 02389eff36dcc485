"""Who took which file that is not public, and who filled the site from one."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from arena.models.people import User
from arena.types import DataAct


class DataEntry(models.Model):
    """One download, or a part of one, or one import. Rows are added and never changed, which the database holds; but an account that goes takes its name.

    No address and no browser of anybody.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    act = models.CharField(
        _("act"),
        max_length=10,
        choices=[(DataAct.DOWNLOADED.value, _("downloaded")), (DataAct.IMPORTED.value, _("imported"))],
    )
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
    layout = models.CharField(_("layout"), max_length=24)
    about = models.CharField(
        _("about"),
        max_length=120,
        blank=True,
        help_text=_("The file that was given, or the board that was filled."),
    )
    rows = models.PositiveBigIntegerField(_("rows"), help_text=_("Of the whole file."))
    size_bytes = models.PositiveBigIntegerField(
        _("size (bytes)"), help_text=_("Of the part that was given, or of the file that was read.")
    )
    sha256 = models.CharField("SHA-256", max_length=64, help_text=_("Of the whole file."))
    created_at = models.DateTimeField(_("at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("download or import")
        verbose_name_plural = _("downloads and imports")
        ordering: ClassVar = ["-created_at"]
        indexes: ClassVar = [models.Index(fields=["act", "created_at"], name="data_entry_by_act_and_time")]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="data_entry_act_known", condition=models.Q(act__in=[each.value for each in DataAct])
            )
        ]

    def __str__(self) -> str:
        return f"{self.act} {self.layout} {self.created_at:%Y-%m-%d}"
