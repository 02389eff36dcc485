"""What volunteers mark in an answer after their vote."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from arena.models.battles import Answer
from arena.models.people import Participant
from arena.types import FeedbackKind

_KINDS = [each.value for each in FeedbackKind]
MOST_COMMENT_CHARS = 1000
MOST_REWRITE_CHARS = 4000


class SpanFeedback(models.Model):
    """``answer.text[start:end]``, what is wrong with it, and how it would be right. Offsets count code points of the stored text.

    Also texts of control pairs can be marked, since nobody is told which they are; such marks are of texts that were made, and belong into no export.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    answer = models.ForeignKey(
        Answer, on_delete=models.PROTECT, related_name="feedback", verbose_name=_("answer")
    )
    participant = models.ForeignKey(
        Participant, on_delete=models.PROTECT, related_name="feedback", verbose_name=_("participant")
    )
    start = models.PositiveIntegerField(_("from"))
    end = models.PositiveIntegerField(_("to"))
    kind = models.CharField(_("kind"), max_length=16, choices=[(each, each) for each in _KINDS])
    comment = models.CharField(_("comment"), max_length=MOST_COMMENT_CHARS, blank=True)
    rewrite = models.CharField(_("rewritten"), max_length=MOST_REWRITE_CHARS, blank=True)
    created_at = models.DateTimeField(_("at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("marked passage")
        verbose_name_plural = _("marked passages")
        ordering: ClassVar = ["created_at", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="feedback_span_not_empty", condition=models.Q(start__gte=0, end__gt=models.F("start"))
            ),
            models.CheckConstraint(name="feedback_kind_known", condition=models.Q(kind__in=_KINDS)),
            models.CheckConstraint(
                name="feedback_says_something",
                condition=~models.Q(kind=FeedbackKind.OTHER.value, comment="", rewrite=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.answer_id} {self.start}-{self.end} {self.kind}"
