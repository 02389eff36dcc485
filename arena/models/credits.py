"""The ledger of credits: what a volunteer's votes earned. Rows are added, never changed or deleted."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from arena.models.campaigns import Campaign
from arena.models.people import Participant
from arena.models.votes import Vote


class Credit(models.Model):
    """One vote credited (+1), or its credit taken back (-1). *step* counts a vote's rows from 1, so that they sum to 0 or 1."""

    vote = models.ForeignKey(Vote, on_delete=models.PROTECT, related_name="credits", verbose_name=_("vote"))
    participant = models.ForeignKey(
        Participant, on_delete=models.PROTECT, related_name="credits", verbose_name=_("participant")
    )
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="+", verbose_name=_("campaign")
    )
    step = models.PositiveSmallIntegerField(_("number"))
    amount = models.SmallIntegerField(_("credits"))
    created_at = models.DateTimeField(_("at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("credit")
        verbose_name_plural = _("credits")
        indexes: ClassVar = [models.Index(fields=["campaign", "participant"], name="credit_of_participant")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["vote", "step"], name="credit_once_per_step"),
            models.CheckConstraint(
                name="credit_gives_and_takes_in_turn",
                condition=models.Q(step__gte=1) & models.Q(amount=1 - 2 * ((models.F("step") + 1) % 2)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.vote_id} {self.amount:+d}"
