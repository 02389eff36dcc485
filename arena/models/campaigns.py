"""Campaigns: what is asked of whom, with which rules."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from arena.campaign_states import phase
from arena.types import BasqueCheck, CampaignPhase, CampaignStatus, Display, Registration
from inference.models import Candidate
from ranking.models import Board
from ranking.policies import DEFAULT_POLICY, NAME_MAX_CHARS


class Campaign(models.Model):
    """A dated evaluation. Its board counts the votes; its prompt goes to every candidate."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(_("code"), unique=True)
    name = models.CharField(_("name"), max_length=120)
    board = models.OneToOneField(
        Board, on_delete=models.PROTECT, related_name="campaign", verbose_name=_("board")
    )
    is_default = models.BooleanField(
        _("default"),
        default=False,
        editable=False,
        help_text=_("The campaign that runs whenever no dated one does."),
    )
    status = models.CharField(
        _("status"),
        max_length=8,
        default=CampaignStatus.DRAFT.value,
        editable=False,
        choices=[
            (CampaignStatus.DRAFT.value, _("in preparation")),
            (CampaignStatus.OPEN.value, _("open")),
            (CampaignStatus.PAUSED.value, _("paused")),
            (CampaignStatus.CLOSED.value, _("closed")),
        ],
    )
    opens_at = models.DateTimeField(_("begins"), null=True, blank=True)
    closes_at = models.DateTimeField(
        _("ends"), null=True, blank=True, help_text=_("Answered battles can be voted for one more hour.")
    )
    registration = models.CharField(
        _("an account is needed"),
        max_length=8,
        default=Registration.NOTHING.value,
        choices=[
            (Registration.NOTHING.value, _("for nothing")),
            (Registration.VOTE.value, _("to vote")),
            (Registration.BATTLE.value, _("to begin a battle")),
        ],
    )
    basque_check = models.CharField(
        _("Basque check"),
        max_length=8,
        default=BasqueCheck.NONE.value,
        choices=[
            (BasqueCheck.NONE.value, _("none")),
            (BasqueCheck.OFFERED.value, _("offered")),
            (BasqueCheck.REQUIRED.value, _("before the first vote")),
        ],
    )
    goal = models.PositiveIntegerField(
        _("goal (votes)"),
        null=True,
        blank=True,
        help_text=_("Of all volunteers together; shown with progress."),
    )
    candidates = models.ManyToManyField(
        Candidate,
        blank=True,
        related_name="+",
        verbose_name=_("pool of candidates"),
        help_text=_("None chosen: all that are at work."),
    )
    system_prompt = models.TextField(
        _("system prompt"), blank=True, help_text=_("{date} stands for today's date, written out in Basque.")
    )
    consent_version = models.CharField(_("version of the consent text"), max_length=32)
    sampling_policy = models.CharField(
        _("sampling policy"), max_length=NAME_MAX_CHARS, default=DEFAULT_POLICY
    )
    display = models.CharField(
        _("display of the answers"),
        max_length=8,
        default=Display.PACED.value,
        choices=[
            (Display.PACED.value, _("paced")),
            (Display.UNPACED.value, _("as they come")),
            (Display.WHOLE.value, _("once both are whole")),
        ],
        help_text=_("Paced: both sides begin together and appear at the slower side's speed."),
    )
    tokens_per_day = models.PositiveIntegerField(
        _("most tokens of a volunteer in a day"),
        default=200_000,
        help_text=_("Of both answers together; what goes beyond is refused until tomorrow."),
    )
    max_prompt_chars = models.PositiveIntegerField(_("most characters a message"), default=4000)
    max_turns = models.PositiveSmallIntegerField(_("most messages a battle"), default=8)
    guest_turns_per_hour = models.PositiveIntegerField(_("most messages of a guest in an hour"), default=120)
    guest_open_battles = models.PositiveSmallIntegerField(_("most unfinished battles of a guest"), default=3)
    counts_guests = models.BooleanField(
        _("guests count"),
        default=False,
        help_text=_("Whether votes of guests enter the board; a labelled filter shows them otherwise."),
    )
    too_fast_ms = models.PositiveIntegerField(
        _("fastest vote (ms)"),
        default=2000,
        help_text=_("A vote that comes sooner after the last answer does not count."),
    )
    votes_per_hour = models.PositiveIntegerField(
        _("most votes in an hour"),
        default=60,
        help_text=_("Votes of one volunteer beyond this many in an hour do not count."),
    )
    credited_a_day = models.PositiveIntegerField(
        _("most credited votes of a volunteer in a day"),
        default=60,
        help_text=_("Votes beyond them count as any other, but bring no tickets: haste does not pay."),
    )
    control_rate = models.FloatField(
        _("share of control pairs"),
        default=0.05,
        help_text=_(
            "Of the pairs given to judge, from 0 to 0.5; the terms say that there are some, never which."
        ),
    )
    known_bad = models.ManyToManyField(
        Candidate,
        blank=True,
        related_name="+",
        verbose_name=_("candidates known to be bad"),
        help_text=_("Pairs with one of them may be control pairs."),
    )
    created_at = models.DateTimeField(_("since"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="campaign_one_default"
            ),
            models.CheckConstraint(
                name="campaign_limits_positive",
                condition=models.Q(max_prompt_chars__gt=0, max_turns__gt=0, guest_open_battles__gt=0),
            ),
            models.CheckConstraint(
                name="campaign_display_known",
                condition=models.Q(display__in=[each.value for each in Display]),
            ),
            models.CheckConstraint(
                name="campaign_control_rate_is_a_share",
                condition=models.Q(control_rate__gte=0, control_rate__lte=0.5),
            ),
            models.CheckConstraint(
                name="campaign_status_known",
                condition=models.Q(status__in=[each.value for each in CampaignStatus]),
            ),
            models.CheckConstraint(
                name="campaign_basque_check_known",
                condition=models.Q(basque_check__in=[each.value for each in BasqueCheck]),
            ),
            models.CheckConstraint(
                name="campaign_registration_known",
                condition=models.Q(registration__in=[each.value for each in Registration]),
            ),
            models.CheckConstraint(
                name="campaign_ends_after_it_begins",
                condition=models.Q(opens_at__isnull=True)
                | models.Q(closes_at__isnull=True)
                | models.Q(closes_at__gt=models.F("opens_at")),
            ),
            models.CheckConstraint(
                name="campaign_has_dates_once_open",
                condition=models.Q(is_default=True)
                | models.Q(status=CampaignStatus.DRAFT.value)
                | models.Q(opens_at__isnull=False, closes_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def phase_at(self, now: datetime) -> CampaignPhase:
        return phase(CampaignStatus(self.status), opens_at=self.opens_at, closes_at=self.closes_at, now=now)


class CampaignText(models.Model):
    """What a campaign says in one language. What is empty is said as always."""

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="texts", verbose_name=_("campaign")
    )
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    title = models.CharField(_("title"), max_length=120)
    introduction = models.TextField(_("introduction"), blank=True, max_length=2000)
    thanks = models.TextField(
        _("thanks"), blank=True, max_length=2000, help_text=_("Shown once the campaign is over.")
    )
    prizes = models.TextField(_("prizes"), blank=True, max_length=2000)
    content_question = models.CharField(_("question on the content"), max_length=200, blank=True)
    content_help = models.CharField(_("help with it"), max_length=300, blank=True)
    language_question = models.CharField(_("question on the Basque"), max_length=200, blank=True)
    language_help = models.CharField(_("help with it"), max_length=300, blank=True)
    overall_question = models.CharField(_("question on the whole"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("text of a campaign")
        verbose_name_plural = _("texts of a campaign")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["campaign", "language"], name="campaign_text_once_a_language")
        ]

    def __str__(self) -> str:
        return self.title
