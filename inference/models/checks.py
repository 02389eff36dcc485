"""The guided checks of endpoints: addresses that have no model yet, and what each step found."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inference.models.endpoints import ModelEndpoint
from inference.types import Provider
from inference.wizard.types import CheckOutcome, CheckStep


class EndpointDraft(models.Model):
    """A server that somebody began to add. Its key is stored encrypted; it goes when the endpoint is made, or after a day."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    base_url = models.CharField(_("address"), max_length=300)
    provider = models.CharField(
        _("wire dialect"), max_length=20, choices=[(each.value, each.value) for each in Provider]
    )
    api_key_encrypted = models.TextField(blank=True, editable=False)
    seen = models.JSONField(default=dict, editable=False)
    created_at = models.DateTimeField(_("since"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("endpoint that is being added")
        verbose_name_plural = _("endpoints that are being added")
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return self.base_url


class EndpointCheck(models.Model):
    """What one check of an endpoint found. The last of each step counts; earlier ones stay."""

    endpoint = models.ForeignKey(ModelEndpoint, on_delete=models.CASCADE, related_name="checks")
    step = models.CharField(
        _("step"), max_length=10, choices=[(each.value, each.value) for each in CheckStep]
    )
    outcome = models.CharField(
        _("outcome"), max_length=10, choices=[(each.value, each.value) for each in CheckOutcome]
    )
    detail = models.JSONField(default=dict)
    at = models.DateTimeField(_("checked"), default=timezone.now)

    class Meta:
        verbose_name = _("check of an endpoint")
        verbose_name_plural = _("checks of endpoints")
        indexes: ClassVar = [models.Index(fields=["endpoint", "step", "-at"], name="check_last")]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="check_step_known", condition=models.Q(step__in=[each.value for each in CheckStep])
            ),
            models.CheckConstraint(
                name="check_outcome_known",
                condition=models.Q(outcome__in=[each.value for each in CheckOutcome]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.endpoint_id} {self.step} {self.outcome}"
