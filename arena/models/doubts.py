"""Passages of stored texts that may be personal details: staff decide whether they are passed on. What they say is not copied here."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from arena.models.battles import Answer, Turn
from arena.models.people import User
from arena.sanitizing import Decision, Kind

_KINDS = [each.value for each in Kind]
_DECISIONS = [each.value for each in Decision]


class Doubt(models.Model):
    """A passage of a message, or of an answer to it where there is one: *start* and *end* count its characters. It goes when its text is erased."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="doubts", verbose_name=_("turn"))
    answer = models.ForeignKey(
        Answer,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="doubts",
        verbose_name=_("answer"),
    )
    kind = models.CharField(_("kind"), max_length=8, choices=[(each, each) for each in _KINDS])
    start = models.PositiveIntegerField(_("first character"))
    end = models.PositiveIntegerField(_("character after it"))
    found_at = models.DateTimeField(_("found"), default=timezone.now, editable=False)
    decision = models.CharField(
        _("decision"),
        max_length=8,
        default=Decision.OPEN.value,
        choices=[(each, each) for each in _DECISIONS],
    )
    staff = models.ForeignKey(
        User,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("member of staff"),
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    class Meta:
        verbose_name = _("possible personal detail")
        verbose_name_plural = _("possible personal details")
        ordering: ClassVar = ["found_at", "turn", "start"]
        indexes: ClassVar = [
            models.Index(
                fields=["found_at"], condition=models.Q(decision=Decision.OPEN.value), name="doubt_open"
            ),
            models.Index(fields=["kind", "start", "end"], name="doubt_alike"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["turn", "answer", "start", "end"], nulls_distinct=False, name="doubt_once_per_span"
            ),
            models.CheckConstraint(name="doubt_kind_known", condition=models.Q(kind__in=_KINDS)),
            models.CheckConstraint(name="doubt_decision_known", condition=models.Q(decision__in=_DECISIONS)),
            models.CheckConstraint(
                name="doubt_span_not_empty", condition=models.Q(end__gt=models.F("start"))
            ),
            models.CheckConstraint(
                name="doubt_decided_says_when",
                condition=models.Q(decision=Decision.OPEN.value, decided_at__isnull=True)
                | (~models.Q(decision=Decision.OPEN.value) & models.Q(decided_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.answer_id or self.turn_id} {self.start}-{self.end}"

    @property
    def text(self) -> str:
        """The whole text that it is a passage of."""
        return self.turn.text if self.answer is None else self.answer.text
