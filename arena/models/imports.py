"""Votes of other arenas. Apart from live votes: they have no battle, no volunteer and no part in anything but their own board."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from arena.imports.votes import MOST_ID_CHARS, MOST_TIMESTAMP_CHARS, MOST_VOTER_CHARS
from arena.types import Education, LanguageLevel, VoteSource
from ranking.models import Board
from ranking.types import MODEL_NAME_MAX_CHARS, Outcome

_OUTCOMES = [each.value for each in Outcome]
_SOURCES = [each.value for each in VoteSource]
_CRITERIA_OF = models.Q(
    source=VoteSource.EBALUATOIA.value, content__in=_OUTCOMES, language__in=_OUTCOMES
) | models.Q(source=VoteSource.LMARENA.value, content="", language="")


class ImportedVote(models.Model):
    """A row of a file. *conv_a*, *conv_b* and *timestamp* are as the file had them, and so is what no other column holds, in *extra*."""

    board = models.ForeignKey(Board, on_delete=models.PROTECT, related_name="imported_votes")
    source = models.CharField(_("layout"), max_length=12, choices=[(each, each) for each in _SOURCES])
    external_id = models.CharField(max_length=MOST_ID_CHARS, db_collation="C")
    voter = models.CharField(max_length=MOST_VOTER_CHARS, blank=True)
    language_level = models.CharField(_("language level"), max_length=8, blank=True)
    education = models.CharField(_("education"), max_length=20, blank=True)
    timestamp = models.CharField(max_length=MOST_TIMESTAMP_CHARS)
    cast_at = models.DateTimeField(_("voted"))
    model_a = models.CharField(max_length=MODEL_NAME_MAX_CHARS)
    model_b = models.CharField(max_length=MODEL_NAME_MAX_CHARS)
    conv_a = models.JSONField()
    conv_b = models.JSONField()
    winner = models.CharField(_("winner"), max_length=10, choices=[(each, each) for each in _OUTCOMES])
    content = models.CharField(max_length=10, blank=True, choices=[(each, each) for each in _OUTCOMES])
    language = models.CharField(max_length=10, blank=True, choices=[(each, each) for each in _OUTCOMES])
    extra = models.JSONField(default=dict)
    checksum = models.CharField(max_length=64)
    imported_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("imported vote")
        verbose_name_plural = _("imported votes")
        indexes: ClassVar = [
            models.Index(fields=["board", "cast_at", "external_id"], name="imported_vote_in_order")
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["board", "external_id"], name="imported_vote_once"),
            models.CheckConstraint(
                name="imported_vote_winner_known", condition=models.Q(winner__in=_OUTCOMES)
            ),
            models.CheckConstraint(name="imported_vote_criteria_of_its_layout", condition=_CRITERIA_OF),
            models.CheckConstraint(
                name="imported_vote_two_models", condition=~models.Q(model_a=models.F("model_b"))
            ),
            models.CheckConstraint(
                name="imported_vote_level_known",
                condition=models.Q(language_level__in=["", *[each.value for each in LanguageLevel]]),
            ),
            models.CheckConstraint(
                name="imported_vote_education_known",
                condition=models.Q(education__in=["", *[each.value for each in Education]]),
            ),
        ]

    def __str__(self) -> str:
        return self.external_id
