"""Endpoints: the servers that host candidates, with their limits, budgets and health."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inference.models.candidates import Candidate
from inference.types import EndpointHealth, EndpointStatus, Provider

_POSITIVE = [MinValueValidator(0.001)]


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
    probe = models.JSONField(default=dict, editable=False)
    running = models.PositiveIntegerField(_("requests at work"), null=True, editable=False)
    waiting = models.PositiveIntegerField(_("requests waiting"), null=True, editable=False)
    max_in_flight = models.PositiveSmallIntegerField(
        _("most answers at once"), default=8, validators=[MinValueValidator(1)]
    )
    canary_share = models.FloatField(
        _("share as a canary"),
        default=0.1,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text=_("Of the battles, while the status is canary: how many may draw it."),
    )
    context_tokens = models.PositiveIntegerField(_("context (tokens)"), null=True, blank=True)
    connect_s = models.FloatField(_("to connect (s)"), default=5.0, validators=_POSITIVE)
    first_token_s = models.FloatField(_("to the first token (s)"), default=60.0, validators=_POSITIVE)
    between_tokens_s = models.FloatField(_("between tokens (s)"), default=30.0, validators=_POSITIVE)
    total_s = models.FloatField(_("in all (s)"), default=300.0, validators=_POSITIVE)
    tokens_per_day = models.PositiveBigIntegerField(_("most tokens a day"), null=True, blank=True)
    prompt_price = models.DecimalField(
        _("price of a million prompt tokens"), max_digits=10, decimal_places=4, null=True, blank=True
    )
    completion_price = models.DecimalField(
        _("price of a million answer tokens"), max_digits=10, decimal_places=4, null=True, blank=True
    )
    budget_per_day = models.DecimalField(
        _("most money a day"),
        max_digits=10,
        decimal_places=4,
        null=True,
        blank=True,
        help_text=_("In the currency of the prices; nothing is asked of the endpoint beyond it."),
    )
    key_set_at = models.DateTimeField(_("key set"), null=True, editable=False)
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
            models.CheckConstraint(
                name="endpoint_limits_in_range",
                condition=models.Q(
                    max_in_flight__gte=1,
                    canary_share__gte=0,
                    canary_share__lte=1,
                    connect_s__gt=0,
                    first_token_s__gt=0,
                    between_tokens_s__gt=0,
                    total_s__gt=0,
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.candidate} @ {self.base_url}"
