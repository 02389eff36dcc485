"""The short Basque check that a campaign may ask of volunteers, and how each did."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from arena.models.campaigns import Campaign
from arena.models.people import Participant


class CheckQuestion(models.Model):
    """A question with one right option, counted from 1."""

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="check_questions", verbose_name=_("campaign")
    )
    position = models.PositiveSmallIntegerField(_("position"))
    text = models.CharField(_("question"), max_length=300)
    options = ArrayField(models.CharField(max_length=120), verbose_name=_("options"))
    right = models.PositiveSmallIntegerField(_("number of the right option"))

    class Meta:
        verbose_name = _("question of the Basque check")
        verbose_name_plural = _("questions of the Basque check")
        ordering = ("position",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["campaign", "position"], name="check_position_once"),
            models.CheckConstraint(
                name="check_right_is_an_option",
                condition=models.Q(options__len__gte=2, options__len__lte=5, right__gte=1)
                & models.Q(right__lte=models.F("options__len")),
            ),
        ]

    def __str__(self) -> str:
        return self.text


class CheckResult(models.Model):
    """How many were right of how many asked. The last one stands."""

    participant = models.ForeignKey(
        Participant, on_delete=models.PROTECT, related_name="checks", verbose_name=_("participant")
    )
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="check_results", verbose_name=_("campaign")
    )
    right = models.PositiveSmallIntegerField(_("right answers"))
    asked = models.PositiveSmallIntegerField(_("questions"))
    day = models.DateField(_("day"), default=timezone.localdate, editable=False)
    taken_at = models.DateTimeField(_("taken"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("result of the Basque check")
        verbose_name_plural = _("results of the Basque check")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["participant", "campaign", "day"], name="check_once_a_day"),
            models.CheckConstraint(
                name="check_right_of_asked",
                condition=models.Q(asked__gt=0) & models.Q(right__lte=models.F("asked")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.right}/{self.asked}"
