"""Candidates and the endpoints that serve them."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inference.types import EndpointHealth, EndpointStatus, Provider, SystemPromptMode


class Candidate(models.Model):
    """A named model revision being compared."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.SlugField(_("code"), unique=True, max_length=80)
    name = models.CharField(_("name"), max_length=120)
    revision = models.CharField(_("revision"), max_length=80, blank=True)
    description = models.TextField(_("description"), blank=True)
    backbone = models.CharField(_("backbone"), max_length=200, blank=True)
    training_data = models.TextField(_("training data"), blank=True)
    licence = models.CharField(_("licence"), max_length=120, blank=True)
    maker = models.CharField(_("made by"), max_length=120, blank=True)
    system_prompt_mode = models.CharField(
        _("system prompt"),
        max_length=12,
        default=SystemPromptMode.SYSTEM.value,
        choices=[
            (SystemPromptMode.SYSTEM.value, _("as the system message")),
            (SystemPromptMode.USER_TURN.value, _("as a first user turn")),
            (SystemPromptMode.NONE.value, _("not at all")),
        ],
    )
    temperature = models.FloatField(
        _("temperature"), default=0.9, validators=[MinValueValidator(0), MaxValueValidator(2)]
    )
    top_p = models.FloatField(
        _("top p"), default=0.95, validators=[MinValueValidator(0.01), MaxValueValidator(1)]
    )
    max_tokens = models.PositiveIntegerField(
        _("most tokens"), default=2048, validators=[MinValueValidator(1)]
    )
    stop = models.JSONField(_("stop strings"), default=list, blank=True)
    manifest = models.JSONField(default=dict, blank=True, editable=False)
    created_at = models.DateTimeField(_("since"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("candidate")
        verbose_name_plural = _("candidates")
        ordering: ClassVar = ["code"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="candidate_prompt_mode_known",
                condition=models.Q(system_prompt_mode__in=[each.value for each in SystemPromptMode]),
            ),
            models.CheckConstraint(
                name="candidate_sampling_in_range",
                condition=models.Q(
                    temperature__gte=0, temperature__lte=2, top_p__gt=0, top_p__lte=1, max_tokens__gte=1
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ModelEndpoint(models.Model):
    """The address of a server that hosts a candidate. Its key is stored encrypted and never shown."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    candidate = models.ForeignKey(
        Candidate, on_delete=models.PROTECT, related_name="endpoints", verbose_name=_("candidate")
    )
    base_url = models.CharField(_("address"), max_length=300)
    model = models.CharField(_("model name on the server"), max_length=400)
    provider = models.CharField(
        _("wire dialect"),
        max_length=20,
        default=Provider.OPENAI.value,
        choices=[(each.value, each.value) for each in Provider],
    )
    api_key_encrypted = models.TextField(blank=True, editable=False)
    status = models.CharField(
        _("status"),
        max_length=10,
        default=EndpointStatus.ACTIVE.value,
        choices=[(each.value, each.value) for each in EndpointStatus],
    )
    health = models.CharField(
        _("health"),
        max_length=10,
        default=EndpointHealth.UNKNOWN.value,
        editable=False,
        choices=[(each.value, each.value) for each in EndpointHealth],
    )
    health_detail = models.CharField(_("what the probe saw"), max_length=20, blank=True, editable=False)
    health_checked_at = models.DateTimeField(_("probed"), null=True, editable=False)
    probe_first_token_ms = models.PositiveIntegerField(
        _("first token of the probe (ms)"), null=True, editable=False
    )
    created_at = models.DateTimeField(_("since"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("endpoint")
        verbose_name_plural = _("endpoints")
        ordering: ClassVar = ["candidate__code", "created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["candidate", "base_url", "model"], name="endpoint_once"),
            models.CheckConstraint(
                name="endpoint_status_known",
                condition=models.Q(status__in=[each.value for each in EndpointStatus]),
            ),
            models.CheckConstraint(
                name="endpoint_health_known",
                condition=models.Q(health__in=[each.value for each in EndpointHealth]),
            ),
            models.CheckConstraint(
                name="endpoint_provider_known",
                condition=models.Q(provider__in=[each.value for each in Provider]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.candidate} @ {self.base_url}"
