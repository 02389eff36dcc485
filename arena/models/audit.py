"""What staff and operators did: rows are added, never changed; a trigger refuses it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from arena.types import AuditWay

MOST_ACT_CHARS = 120
MOST_ABOUT_CHARS = 400


class AuditEntry(models.Model):
    """One act. It holds keys alone, so that erasing somebody leaves nothing of theirs in it."""

    created_at = models.DateTimeField(_("at"), default=timezone.now, editable=False, db_index=True)
    way = models.CharField(
        _("by way of"), max_length=8, choices=[(each.value, each.value) for each in AuditWay]
    )
    staff_id = models.BigIntegerField(
        _("number of the account"),
        null=True,
        help_text=_("Nobody where it was done on the server's command line."),
    )
    act = models.CharField(_("act"), max_length=MOST_ACT_CHARS)
    about = models.CharField(_("about"), max_length=MOST_ABOUT_CHARS, blank=True)

    class Meta:
        verbose_name = _("entry of the audit log")
        verbose_name_plural = _("audit log")
        ordering: ClassVar = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.way} {self.act}"
