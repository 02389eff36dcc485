"""Battles, their turns and the two answers of each."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from arena.models.campaigns import Campaign
from arena.models.people import Participant
from arena.types import AnswerStatus, BattleSource, BattleStatus, Display, FailCode, Side
from inference.language import LANGUAGES, UNTOLD
from inference.models import Candidate, ModelEndpoint
from inference.types import FinishReason

_STATUSES = [each.value for each in BattleStatus]
_MEASURED = [*LANGUAGES, UNTOLD]
_ENDED_BADLY = [AnswerStatus.FAILED.value, AnswerStatus.INTERRUPTED.value]


class InALanguage(models.Model):
    """A text of which it is measured later what it is written in: *language* is empty until then."""

    language = models.CharField(
        _("language"), max_length=3, blank=True, choices=[(each, each) for each in _MEASURED]
    )
    basque_share = models.FloatField(_("share of Basque"), null=True, blank=True)

    class Meta:
        abstract = True
        constraints: ClassVar = [
            models.CheckConstraint(
                name="%(class)s_language_and_share_known",
                condition=models.Q(language__in=["", UNTOLD], basque_share__isnull=True)
                | models.Q(
                    language__in=LANGUAGES,
                    basque_share__isnull=False,
                    basque_share__gte=0,
                    basque_share__lte=1,
                ),
            )
        ]


class Battle(models.Model):
    """One blind pairing of two candidates for one participant."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="battles", verbose_name=_("campaign")
    )
    participant = models.ForeignKey(
        Participant, on_delete=models.PROTECT, related_name="battles", verbose_name=_("participant")
    )
    candidate_a = models.ForeignKey(
        Candidate, on_delete=models.PROTECT, related_name="+", verbose_name=_("candidate A")
    )
    candidate_b = models.ForeignKey(
        Candidate, on_delete=models.PROTECT, related_name="+", verbose_name=_("candidate B")
    )
    status = models.CharField(
        _("status"),
        max_length=12,
        default=BattleStatus.OPEN.value,
        choices=[(each, each) for each in _STATUSES],
    )
    source = models.CharField(
        _("where its answers come from"),
        max_length=10,
        default=BattleSource.LIVE.value,
        choices=[(each.value, each.value) for each in BattleSource],
    )
    origin = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="copies",
        verbose_name=_("battle that is shown again"),
    )
    twin = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("first pair of the same answers to a prompt"),
    )
    prompt = models.ForeignKey(
        "arena.Prompt",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="battles",
        verbose_name=_("prompt"),
    )
    system_prompt = models.TextField(_("system prompt"), blank=True)
    policy = models.CharField(_("sampling policy"), max_length=32)
    propensity = models.FloatField(_("probability of the draw"))
    draw_seed = models.BigIntegerField(_("seed of the draw"))
    display = models.CharField(
        _("display of the answers"),
        max_length=8,
        default=Display.PACED.value,
        choices=[(each.value, each.value) for each in Display],
    )
    created_at = models.DateTimeField(_("begun"), default=timezone.now, editable=False, db_index=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    hidden_at = models.DateTimeField(
        _("hidden"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("Since when nobody else is shown this battle, and no export holds it."),
    )

    rules_read = models.PositiveSmallIntegerField(
        default=0, editable=False, db_comment="The rules of sanitizing that its texts were read by."
    )

    class Meta:
        verbose_name = _("battle")
        verbose_name_plural = _("battles")
        indexes: ClassVar = [
            models.Index(fields=["participant", "status"], name="battle_of_participant"),
            models.Index(fields=["rules_read", "created_at"], name="battle_rules_read"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="battle_two_candidates", condition=~models.Q(candidate_a=models.F("candidate_b"))
            ),
            models.CheckConstraint(name="battle_status_known", condition=models.Q(status__in=_STATUSES)),
            models.CheckConstraint(
                name="battle_propensity_is_probability",
                condition=models.Q(propensity__gt=0, propensity__lte=1),
            ),
            models.CheckConstraint(
                name="battle_of_a_prompt_set_has_its_prompt",
                condition=models.Q(source=BattleSource.PROMPT_SET.value, prompt__isnull=False)
                | (
                    ~models.Q(source=BattleSource.PROMPT_SET.value)
                    & models.Q(prompt__isnull=True, twin__isnull=True)
                ),
            ),
            models.CheckConstraint(
                name="battle_shown_again_has_an_origin",
                condition=models.Q(source=BattleSource.REJUDGED.value, origin__isnull=False)
                | models.Q(
                    source__in=[BattleSource.LIVE.value, BattleSource.PROMPT_SET.value], origin__isnull=True
                ),
            ),
            models.CheckConstraint(
                name="battle_display_known",
                condition=models.Q(display__in=[each.value for each in Display]),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Replacement(models.Model):
    """A side that died in the first turn, and the draw of who took its place. Battles without one were never touched."""

    battle = models.ForeignKey(
        Battle, on_delete=models.PROTECT, related_name="replacements", verbose_name=_("battle")
    )
    side = models.CharField(_("side"), max_length=1, choices=[(each.value, each.value) for each in Side])
    candidate = models.ForeignKey(
        Candidate, on_delete=models.PROTECT, related_name="+", verbose_name=_("candidate replaced")
    )
    endpoint = models.ForeignKey(
        ModelEndpoint, null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("endpoint")
    )
    error_code = models.CharField(_("error"), max_length=20)
    policy = models.CharField(_("sampling policy"), max_length=32)
    propensity = models.FloatField(_("probability of the draw"))
    draw_seed = models.BigIntegerField(_("seed of the draw"))
    created_at = models.DateTimeField(_("at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("replacement")
        verbose_name_plural = _("replacements")
        ordering: ClassVar = ["created_at"]
        constraints: ClassVar = [
            models.CheckConstraint(name="replacement_side_known", condition=models.Q(side__in=["A", "B"])),
            models.CheckConstraint(
                name="replacement_propensity_is_probability",
                condition=models.Q(propensity__gt=0, propensity__lte=1),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.battle_id} {self.side}"


class Turn(InALanguage):
    """The volunteer's n-th message. While it is answered, one process holds its lease."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    battle = models.ForeignKey(
        Battle, on_delete=models.PROTECT, related_name="turns", verbose_name=_("battle")
    )
    index = models.PositiveSmallIntegerField(_("number"))
    text = models.TextField(_("message"))
    key = models.UUIDField(unique=True)
    runner_id = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True, db_index=True)
    created_at = models.DateTimeField(_("begun"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("turn")
        verbose_name_plural = _("turns")
        ordering: ClassVar = ["index"]
        indexes: ClassVar = [
            models.Index(fields=["created_at"], condition=models.Q(language=""), name="turn_unmeasured")
        ]
        constraints: ClassVar = [
            *InALanguage.Meta.constraints,
            models.UniqueConstraint(fields=["battle", "index"], name="turn_once_per_index"),
            models.CheckConstraint(name="turn_index_from_one", condition=models.Q(index__gte=1)),
            models.CheckConstraint(name="turn_says_something", condition=~models.Q(text="")),
            models.CheckConstraint(
                name="turn_lease_whole",
                condition=models.Q(runner_id__isnull=True, lease_until__isnull=True)
                | models.Q(runner_id__isnull=False, lease_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.battle_id} {self.index}"


class Answer(InALanguage):
    """One side's answer to one turn, with all that is needed to ask for it again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    turn = models.ForeignKey(Turn, on_delete=models.PROTECT, related_name="answers")
    side = models.CharField(_("side"), max_length=1, choices=[(each.value, each.value) for each in Side])
    endpoint = models.ForeignKey(
        ModelEndpoint, null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("endpoint")
    )
    status = models.CharField(
        _("status"),
        max_length=12,
        default=AnswerStatus.PENDING.value,
        choices=[(each.value, each.value) for each in AnswerStatus],
    )
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=1)
    text = models.TextField(_("answer"), blank=True)
    reasoning = models.TextField(_("reasoning"), blank=True)
    finish_reason = models.CharField(
        _("reason of the end"),
        max_length=12,
        blank=True,
        choices=[(each.value, each.value) for each in FinishReason],
    )
    error_code = models.CharField(
        _("error"), max_length=20, blank=True, choices=[(each.value, each.value) for each in FailCode]
    )
    temperature = models.FloatField(_("temperature"))
    top_p = models.FloatField(_("top p"))
    max_tokens = models.PositiveIntegerField(_("most tokens"))
    stop = models.JSONField(_("stop strings"), default=list)
    seed = models.BigIntegerField(_("seed"))
    prompt_tokens = models.PositiveIntegerField(_("tokens of the prompt"), null=True, blank=True)
    completion_tokens = models.PositiveIntegerField(_("tokens of the answer"), null=True, blank=True)
    queued_ms = models.PositiveIntegerField(_("in the queue (ms)"), null=True, blank=True)
    first_token_ms = models.PositiveIntegerField(_("first token (ms)"), null=True, blank=True)
    duration_ms = models.PositiveIntegerField(_("duration (ms)"), null=True, blank=True)
    started_at = models.DateTimeField(_("begun"), default=timezone.now)
    finished_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        ordering: ClassVar = ["side"]
        indexes: ClassVar = [
            models.Index(
                fields=["finished_at"],
                condition=models.Q(language="", status=AnswerStatus.COMPLETE.value),
                name="answer_unmeasured",
            )
        ]
        constraints: ClassVar = [
            *InALanguage.Meta.constraints,
            models.UniqueConstraint(fields=["turn", "side"], name="answer_once_per_side"),
            models.CheckConstraint(name="answer_side_known", condition=models.Q(side__in=["A", "B"])),
            models.CheckConstraint(
                name="answer_status_known",
                condition=models.Q(status__in=[each.value for each in AnswerStatus]),
            ),
            models.CheckConstraint(
                name="answer_complete_has_text_and_reason",
                condition=~models.Q(status=AnswerStatus.COMPLETE.value)
                | (~models.Q(text="") & ~models.Q(finish_reason="") & models.Q(error_code="")),
            ),
            models.CheckConstraint(
                name="answer_failed_has_code",
                condition=~models.Q(status__in=_ENDED_BADLY) | ~models.Q(error_code=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.turn_id} {self.side}"
