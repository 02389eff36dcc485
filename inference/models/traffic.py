"""What went through the gateway: each request without its text, what was spent, and whether an endpoint's circuit is open."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inference.models.endpoints import ModelEndpoint
from inference.types import CircuitState


class Circuit(models.Model):
    """An endpoint's circuit breaker, shared by all processes; none is as good as closed."""

    endpoint = models.OneToOneField(
        ModelEndpoint, on_delete=models.CASCADE, primary_key=True, related_name="circuit"
    )
    state = models.CharField(
        _("state"),
        max_length=10,
        default=CircuitState.CLOSED.value,
        choices=[(each.value, each.value) for each in CircuitState],
    )
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    opened_at = models.DateTimeField(_("opened"), null=True)
    retry_at = models.DateTimeField(_("next trial"), null=True, db_index=True)

    class Meta:
        verbose_name = _("circuit")
        verbose_name_plural = _("circuits")
        constraints: ClassVar = [
            models.CheckConstraint(
                name="circuit_state_known",
                condition=models.Q(state__in=[each.value for each in CircuitState]),
            ),
            models.CheckConstraint(
                name="circuit_says_when",
                condition=models.Q(state=CircuitState.CLOSED.value)
                | models.Q(opened_at__isnull=False, retry_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.endpoint_id} {self.state}"


class Generation(models.Model):
    """One request as the gateway saw it, for rolling latency and error rates. No text; pruned after a week."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    endpoint = models.ForeignKey(ModelEndpoint, on_delete=models.CASCADE, related_name="generations")
    request_id = models.CharField(_("request"), max_length=80)
    ended_at = models.DateTimeField(_("ended"), default=timezone.now)
    outcome = models.CharField(_("outcome"), max_length=20)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=1)
    queued_ms = models.PositiveIntegerField(_("in the queue (ms)"), default=0)
    first_token_ms = models.PositiveIntegerField(_("first token (ms)"), null=True)
    duration_ms = models.PositiveIntegerField(_("duration (ms)"))
    prompt_tokens = models.PositiveIntegerField(_("tokens of the prompt"), null=True)
    completion_tokens = models.PositiveIntegerField(_("tokens of the answer"), null=True)

    class Meta:
        verbose_name = _("request")
        verbose_name_plural = _("requests")
        indexes: ClassVar = [models.Index(fields=["endpoint", "ended_at"], name="generation_recent")]

    def __str__(self) -> str:
        return self.request_id


class EndpointUsage(models.Model):
    """What one endpoint was asked for on one day, in UTC."""

    endpoint = models.ForeignKey(ModelEndpoint, on_delete=models.CASCADE, related_name="usage")
    day = models.DateField(_("day"))
    requests = models.PositiveBigIntegerField(_("requests"), default=0)
    prompt_tokens = models.PositiveBigIntegerField(_("tokens of prompts"), default=0)
    completion_tokens = models.PositiveBigIntegerField(_("tokens of answers"), default=0)
    cost = models.DecimalField(_("cost"), max_digits=14, decimal_places=6, default=0)

    class Meta:
        verbose_name = _("use of an endpoint")
        verbose_name_plural = _("use of endpoints")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["endpoint", "day"], name="endpoint_usage_once_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.endpoint_id} {self.day}"


class UserUsage(models.Model):
    """How many tokens one user was answered with on one day, in UTC; who that is, only the caller knows."""

    user = models.CharField(_("user"), max_length=64)
    day = models.DateField(_("day"), db_index=True)
    tokens = models.PositiveBigIntegerField(_("tokens"), default=0)

    class Meta:
        verbose_name = _("use by a volunteer")
        verbose_name_plural = _("use by volunteers")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "day"], name="user_usage_once_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.day}"
