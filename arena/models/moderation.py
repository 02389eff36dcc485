"""What volunteers report, and what moderators did: a ledger, whose rows are added and never changed; of somebody who was deleted the words go."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from arena.models.battles import Battle
from arena.models.people import Participant, User
from arena.types import ModerationAct, ReportReason, ReportState

_ACTS = [each.value for each in ModerationAct]
_REASONS = [each.value for each in ReportReason]
_STATES = [each.value for each in ReportState]
MOST_NOTE_CHARS = 2000
MOST_WORDS_CHARS = 1000


class ModerationEntry(models.Model):
    """One act about a battle or about a volunteer: who, when, and in what words."""

    act = models.CharField(_("act"), max_length=10, choices=[(each, each) for each in _ACTS])
    battle = models.ForeignKey(
        Battle,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="moderation",
        verbose_name=_("battle"),
    )
    participant = models.ForeignKey(
        Participant,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="moderation",
        verbose_name=_("participant"),
    )
    staff = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("member of staff")
    )
    note = models.CharField(_("note"), max_length=MOST_NOTE_CHARS, blank=True)
    created_at = models.DateTimeField(_("at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("act of moderation")
        verbose_name_plural = _("acts of moderation")
        ordering: ClassVar = ["-created_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(name="moderation_act_known", condition=models.Q(act__in=_ACTS)),
            models.CheckConstraint(
                name="moderation_of_one",
                condition=models.Q(battle__isnull=True, participant__isnull=False)
                | models.Q(battle__isnull=False, participant__isnull=True),
            ),
            models.CheckConstraint(
                name="moderation_note_says_something",
                condition=~models.Q(act=ModerationAct.NOTE.value, note=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.act} {self.battle_id or self.participant_id}"


class Report(models.Model):
    """What a volunteer says of a battle of theirs, until staff have decided."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    battle = models.ForeignKey(
        Battle, on_delete=models.PROTECT, related_name="reports", verbose_name=_("battle")
    )
    participant = models.ForeignKey(
        Participant, on_delete=models.PROTECT, related_name="reports", verbose_name=_("participant")
    )
    reason = models.CharField(_("reason"), max_length=16, choices=[(each, each) for each in _REASONS])
    words = models.CharField(_("in their words"), max_length=MOST_WORDS_CHARS, blank=True)
    created_at = models.DateTimeField(_("at"), default=timezone.now, editable=False)
    state = models.CharField(
        _("state"),
        max_length=10,
        default=ReportState.OPEN.value,
        choices=[(each, each) for each in _STATES],
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
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        ordering: ClassVar = ["created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["battle", "participant"],
                condition=models.Q(state=ReportState.OPEN.value),
                name="report_open_once",
            ),
            models.CheckConstraint(name="report_reason_known", condition=models.Q(reason__in=_REASONS)),
            models.CheckConstraint(name="report_state_known", condition=models.Q(state__in=_STATES)),
            models.CheckConstraint(
                name="report_decided_says_when",
                condition=models.Q(state=ReportState.OPEN.value, decided_at__isnull=True)
                | (~models.Q(state=ReportState.OPEN.value) & models.Q(decided_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.battle_id} {self.reason}"
