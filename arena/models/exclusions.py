"""Why a vote does not count: a ledger. Rows are added and lifted, never deleted."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from arena.models.people import User
from arena.models.votes import Vote
from arena.types import ExclusionSource
from ranking.filters import ExclusionReason

_REASONS = [each.value for each in ExclusionReason]


class Exclusion(models.Model):
    """One reason against one vote, from when to when, and who said so. *source* ``rule`` is the site's own."""

    vote = models.ForeignKey(
        Vote, on_delete=models.PROTECT, related_name="exclusions", verbose_name=_("vote")
    )
    reason = models.CharField(_("reason"), max_length=20, choices=[(each, each) for each in _REASONS])
    source = models.CharField(
        _("said by"), max_length=10, choices=[(each.value, each.value) for each in ExclusionSource]
    )
    staff = models.ForeignKey(
        User,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("member of staff"),
    )
    created_at = models.DateTimeField(_("since"), default=timezone.now, editable=False)
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True)

    class Meta:
        verbose_name = _("exclusion")
        verbose_name_plural = _("exclusions")
        indexes: ClassVar = [models.Index(fields=["created_at"], name="exclusion_by_day")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["vote", "reason"],
                condition=models.Q(lifted_at__isnull=True),
                name="exclusion_once_per_reason",
            ),
            models.CheckConstraint(name="exclusion_reason_known", condition=models.Q(reason__in=_REASONS)),
            models.CheckConstraint(
                name="exclusion_source_known",
                condition=models.Q(source__in=[each.value for each in ExclusionSource]),
            ),
            models.CheckConstraint(
                name="exclusion_lifted_after_it_was_made",
                condition=models.Q(lifted_at__isnull=True) | models.Q(lifted_at__gte=models.F("created_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.vote_id} {self.reason}"
