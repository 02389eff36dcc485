"""Votes and what was judged in them. Append-only."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from arena.models.battles import Battle
from arena.models.people import Participant
from arena.types import Education, LanguageLevel
from ranking.types import Criterion, Outcome

_OUTCOMES = [each.value for each in Outcome]


class Vote(models.Model):
    """The one vote of a battle. *counted* enters rankings; *credited* enters tickets and thanks; level and education are the volunteer's of that day."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    battle = models.OneToOneField(
        Battle, on_delete=models.PROTECT, related_name="vote", verbose_name=_("battle")
    )
    participant = models.ForeignKey(
        Participant, on_delete=models.PROTECT, related_name="votes", verbose_name=_("participant")
    )
    winner = models.CharField(_("winner"), max_length=10, choices=[(each, each) for each in _OUTCOMES])
    counted = models.BooleanField(_("counted"), default=True)
    credited = models.BooleanField(_("credited"), default=True)
    beyond_cap = models.BooleanField(_("beyond the day's credited votes"), default=False, editable=False)
    language_level = models.CharField(_("language level"), max_length=8, blank=True)
    education = models.CharField(_("education"), max_length=20, blank=True)
    check_right = models.PositiveSmallIntegerField(_("right answers in the check"), null=True, editable=False)
    check_asked = models.PositiveSmallIntegerField(_("questions of the check"), null=True, editable=False)
    created_at = models.DateTimeField(_("voted"), default=timezone.now, editable=False, db_index=True)

    class Meta:
        verbose_name = _("vote")
        verbose_name_plural = _("votes")
        constraints: ClassVar = [
            models.CheckConstraint(name="vote_winner_known", condition=models.Q(winner__in=_OUTCOMES)),
            models.CheckConstraint(
                name="vote_level_known",
                condition=models.Q(language_level__in=["", *[each.value for each in LanguageLevel]]),
            ),
            models.CheckConstraint(
                name="vote_check_whole",
                condition=models.Q(check_right__isnull=True, check_asked__isnull=True)
                | models.Q(check_right__isnull=False, check_asked__isnull=False)
                & models.Q(check_right__lte=models.F("check_asked")),
            ),
            models.CheckConstraint(
                name="vote_education_known",
                condition=models.Q(education__in=["", *[each.value for each in Education]]),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Judgement(models.Model):
    """What the vote says on one criterion."""

    vote = models.ForeignKey(Vote, on_delete=models.PROTECT, related_name="judgements")
    criterion = models.CharField(
        _("criterion"), max_length=10, choices=[(each.value, each.value) for each in Criterion]
    )
    outcome = models.CharField(_("judgement"), max_length=10, choices=[(each, each) for each in _OUTCOMES])

    class Meta:
        verbose_name = _("judgement")
        verbose_name_plural = _("judgements")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["vote", "criterion"], name="judgement_once_per_criterion"),
            models.CheckConstraint(
                name="judgement_criterion_known",
                condition=models.Q(criterion__in=[each.value for each in Criterion]),
            ),
            models.CheckConstraint(name="judgement_outcome_known", condition=models.Q(outcome__in=_OUTCOMES)),
        ]

    def __str__(self) -> str:
        return f"{self.vote_id} {self.criterion}"
