"""Who may read the API, how much of it each has read, and how often somebody asked in a minute."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from arena.models.people import User
from arena.types import ApiScope

_SCOPES = [each.value for each in ApiScope]


class ApiToken(models.Model):
    """A researcher's token, of which only a hash is kept. Without an owner, whose account was deleted, nobody can use it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        User, null=True, on_delete=models.SET_NULL, related_name="api_tokens", verbose_name=_("researcher")
    )
    name = models.CharField(_("what for"), max_length=80)
    prefix = models.CharField(_("begins with"), max_length=16)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(_("scopes"), default=list)
    created_at = models.DateTimeField(_("issued"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="api_token_scopes_known", condition=models.Q(scopes__contained_by=_SCOPES)
            ),
            models.CheckConstraint(
                name="api_token_expires_after_it_was_issued",
                condition=models.Q(expires_at__gt=models.F("created_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}…"

    def is_good_at(self, now: datetime) -> bool:
        """Whether it opens anything: neither revoked nor expired, its owner's account there and active."""
        owner_is_active = self.owner is not None and self.owner.is_active
        return owner_is_active and self.revoked_at is None and now < self.expires_at


class ApiTokenUse(models.Model):
    """How many requests of a day a token's scope answered; *scope* is empty where none was needed."""

    token = models.ForeignKey(
        ApiToken, on_delete=models.PROTECT, related_name="uses", verbose_name=_("API token")
    )
    scope = models.CharField(_("scope"), max_length=16, blank=True)
    day = models.DateField(_("day"))
    requests = models.PositiveBigIntegerField(_("requests"))

    class Meta:
        verbose_name = _("use of a token")
        verbose_name_plural = _("uses of tokens")
        ordering: ClassVar = ["-day", "scope"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["token", "scope", "day"], name="api_token_use_once_a_day"),
            models.CheckConstraint(
                name="api_token_use_scope_known", condition=models.Q(scope__in=["", *_SCOPES])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.token_id} {self.scope} {self.day}"


class RateWindow(models.Model):
    """How often somebody asked within a minute. *key* is a keyed hash, which tells no address."""

    key = models.CharField(max_length=64)
    minute = models.DateTimeField(db_index=True)
    requests = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["key", "minute"], name="rate_window_once")]

    def __str__(self) -> str:
        return f"{self.minute:%H:%M} {self.requests}"
