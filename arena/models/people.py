"""Who takes part: accounts, volunteers, and what they agreed to."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from arena.types import Display, Education, LanguageLevel, TextSize, Theme


class User(AbstractUser):
    """An account. Staff use it for the admin; volunteers may do without."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)


class Participant(models.Model):
    """A volunteer: an account, or a guest known by the session alone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.OneToOneField(
        User,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="participant",
        verbose_name=_("account"),
    )
    language_level = models.CharField(
        _("language level"),
        max_length=8,
        blank=True,
        choices=[(each.value, each.value) for each in LanguageLevel],
    )
    education = models.CharField(
        _("education"), max_length=20, blank=True, choices=[(each.value, each.value) for each in Education]
    )
    display = models.CharField(
        _("display of the answers"),
        max_length=8,
        blank=True,
        choices=[(each.value, each.value) for each in Display],
        help_text=_("What this volunteer prefers; empty follows the campaign."),
    )
    theme = models.CharField(
        _("theme"),
        max_length=5,
        default=Theme.AUTO.value,
        choices=[(each.value, each.value) for each in Theme],
    )
    text_size = models.CharField(
        _("size of the text"),
        max_length=6,
        default=TextSize.NORMAL.value,
        choices=[(each.value, each.value) for each in TextSize],
    )
    nickname = models.CharField(
        _("nickname"),
        max_length=24,
        blank=True,
        editable=False,
        help_text=_("Shown on the boards of contributors; empty for who is not shown there."),
    )
    shortcuts = models.BooleanField(_("keyboard shortcuts"), default=True)
    profile_asked_at = models.DateTimeField(
        _("asked about themselves"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("When this volunteer answered, or skipped, the questions after the first vote."),
    )
    flagged_at = models.DateTimeField(
        _("flagged"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("Since when this volunteer's votes do not count."),
    )
    held_at = models.DateTimeField(
        _("held"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("Since when this volunteer's votes are set aside until staff decide."),
    )
    banned_at = models.DateTimeField(
        _("banned"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("Since when this volunteer can neither ask nor vote, and none of their votes count."),
    )
    erased_at = models.DateTimeField(
        _("deleted"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("When this volunteer asked to be deleted; nothing of theirs is exported since."),
    )
    created_at = models.DateTimeField(_("since"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("participant")
        verbose_name_plural = _("participants")
        constraints: ClassVar = [
            models.CheckConstraint(
                name="participant_level_known",
                condition=models.Q(language_level__in=["", *[each.value for each in LanguageLevel]]),
            ),
            models.CheckConstraint(
                name="participant_education_known",
                condition=models.Q(education__in=["", *[each.value for each in Education]]),
            ),
            models.CheckConstraint(
                name="participant_display_known",
                condition=models.Q(display__in=["", *[each.value for each in Display]]),
            ),
            models.CheckConstraint(
                name="participant_appearance_known",
                condition=models.Q(
                    theme__in=[each.value for each in Theme],
                    text_size__in=[each.value for each in TextSize],
                ),
            ),
            models.UniqueConstraint(
                Lower("nickname"), condition=~models.Q(nickname=""), name="participant_nickname_once"
            ),
            models.CheckConstraint(
                name="participant_nickname_of_an_account",
                condition=models.Q(nickname="") | models.Q(user__isnull=False),
            ),
            models.CheckConstraint(
                name="participant_deleted_is_nobody",
                condition=models.Q(erased_at__isnull=True)
                | models.Q(user__isnull=True, language_level="", education="", display=""),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_guest(self) -> bool:
        return self.user_id is None


class Consent(models.Model):
    """That a participant agreed to one version of the consent text, in the language they read, until they withdrew it. Rows are never deleted."""

    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="consents")
    version = models.CharField(max_length=32)
    language = models.CharField(max_length=8)
    text_digest = models.CharField(
        max_length=64, blank=True, help_text=_("SHA-256 of the sentences that were shown.")
    )
    is_14_or_older = models.BooleanField()
    given_at = models.DateTimeField(default=timezone.now, editable=False)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["participant", "version"],
                condition=models.Q(withdrawn_at__isnull=True),
                name="consent_stands_once_per_version",
            ),
            models.CheckConstraint(
                name="consent_withdrawn_after_it_was_given",
                condition=models.Q(withdrawn_at__isnull=True)
                | models.Q(withdrawn_at__gte=models.F("given_at")),
            ),
            models.CheckConstraint(name="consent_says_14_or_older", condition=models.Q(is_14_or_older=True)),
        ]

    def __str__(self) -> str:
        return f"{self.participant_id} {self.version}"
