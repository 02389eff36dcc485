"""What moderators did: a ledger. Rows are added, never changed; of somebody who was deleted the notes go."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from arena.models.battles import Battle
from arena.models.people import Participant, User
from arena.types import ModerationAct

_ACTS = [each.value for each in ModerationAct]
MOST_NOTE_CHARS = 2000


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
