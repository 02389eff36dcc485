"""Prompt sets: lists that an admin uploads, and what every candidate answered to them."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from arena.models.campaigns import Campaign
from arena.models.people import User
from arena.prompt_files import MOST_LABEL_CHARS
from arena.types import AnswerStatus
from inference.models import Candidate, ModelEndpoint
from inference.types import FinishReason

_STATUSES = [AnswerStatus.PENDING.value, AnswerStatus.COMPLETE.value, AnswerStatus.FAILED.value]


class PromptSet(models.Model):
    """A list of prompts, as it was uploaded. While it is answered, one process holds it until *claimed_until*."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(_("code"), unique=True)
    name = models.CharField(_("name"), max_length=120)
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="prompt_sets", verbose_name=_("campaign")
    )
    content_digest = models.CharField(max_length=64, editable=False)
    system_prompt = models.TextField(blank=True, editable=False)
    staff = models.ForeignKey(
        User, null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    claimed_until = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("uploaded"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("prompt set")
        verbose_name_plural = _("prompt sets")
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return self.name


class Prompt(models.Model):
    """One prompt of a set, with its labels."""

    prompt_set = models.ForeignKey(PromptSet, on_delete=models.CASCADE, related_name="prompts")
    position = models.PositiveIntegerField(_("number"))
    text = models.TextField(_("message"))
    task = models.CharField(_("task"), max_length=MOST_LABEL_CHARS, blank=True)
    register = models.CharField(_("register"), max_length=MOST_LABEL_CHARS, blank=True)
    dialect = models.CharField(_("dialect"), max_length=MOST_LABEL_CHARS, blank=True)
    hidden_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("prompt")
        verbose_name_plural = _("prompts")
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["prompt_set", "position"], name="prompt_once_per_position"),
            models.CheckConstraint(name="prompt_says_something", condition=~models.Q(text="")),
        ]

    def __str__(self) -> str:
        return self.text[:60]


class SetAnswer(models.Model):
    """One candidate's answer to one prompt, with all that is needed to ask for it again."""

    prompt = models.ForeignKey(Prompt, on_delete=models.CASCADE, related_name="answers")
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="+")
    endpoint = models.ForeignKey(ModelEndpoint, null=True, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(
        max_length=12,
        default=AnswerStatus.PENDING.value,
        choices=[(each, each) for each in _STATUSES],
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    text = models.TextField(blank=True)
    finish_reason = models.CharField(
        max_length=12, blank=True, choices=[(each.value, each.value) for each in FinishReason]
    )
    error_code = models.CharField(max_length=20, blank=True)
    temperature = models.FloatField()
    top_p = models.FloatField()
    max_tokens = models.PositiveIntegerField()
    stop = models.JSONField(default=list)
    seed = models.BigIntegerField()
    prompt_tokens = models.PositiveIntegerField(null=True, blank=True)
    completion_tokens = models.PositiveIntegerField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("answer to a prompt")
        verbose_name_plural = _("answers to prompts")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["prompt", "candidate"], name="set_answer_once_a_candidate"),
            models.CheckConstraint(name="set_answer_status_known", condition=models.Q(status__in=_STATUSES)),
            models.CheckConstraint(
                name="set_answer_complete_has_text",
                condition=~models.Q(status=AnswerStatus.COMPLETE.value)
                | (~models.Q(text="") & ~models.Q(finish_reason="") & models.Q(error_code="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prompt_id} {self.candidate_id}"
