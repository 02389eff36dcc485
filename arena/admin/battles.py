"""Battles and votes: to look at, never to change. What does not count is said in the ledger, by actions."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from arena.admin.readonly import ReadOnlyAdmin, ReadOnlyInline
from arena.models import Answer, Battle, Exclusion, Judgement, ModerationEntry, Replacement, Turn, User, Vote
from arena.services.exclusions import exclude, lift
from arena.types import ExclusionSource
from ranking.filters import ExclusionReason


class TurnInline(ReadOnlyInline[Turn, Battle]):
    model = Turn
    fields = ("index", "text", "created_at")


class ReplacementInline(ReadOnlyInline[Replacement, Battle]):
    model = Replacement
    fields = ("side", "candidate", "endpoint", "error_code", "propensity", "created_at")


class ModerationInline(ReadOnlyInline[ModerationEntry, Battle]):
    model = ModerationEntry
    fields = ("act", "staff", "note", "created_at")


class AnswerInline(ReadOnlyInline[Answer, Turn]):
    model = Answer
    fields = ("side", "status", "text", "finish_reason", "error_code", "completion_tokens", "first_token_ms")


class JudgementInline(ReadOnlyInline[Judgement, Vote]):
    model = Judgement
    fields = ("criterion", "outcome")


class ExclusionInline(ReadOnlyInline[Exclusion, Vote]):
    model = Exclusion
    fields = ("reason", "source", "staff", "created_at", "lifted_at")


@admin.register(Battle)
class BattleAdmin(ReadOnlyAdmin[Battle]):
    list_display = ("id", "campaign", "status", "candidate_a", "candidate_b", "policy", "created_at")
    list_filter = ("status", "display", "campaign", ("hidden_at", admin.EmptyFieldListFilter))
    list_select_related = ("campaign", "candidate_a", "candidate_b")
    date_hierarchy = "created_at"
    inlines: ClassVar = [TurnInline, ReplacementInline, ModerationInline]


@admin.register(Turn)
class TurnAdmin(ReadOnlyAdmin[Turn]):
    list_display = ("id", "battle", "index", "created_at")
    inlines: ClassVar = [AnswerInline]


@admin.register(Vote)
class VoteAdmin(ReadOnlyAdmin[Vote]):
    list_display = ("id", "battle", "winner", "counted", "credited", "created_at")
    list_filter = ("winner", "counted", "exclusions__reason")
    date_hierarchy = "created_at"
    inlines: ClassVar = [JudgementInline, ExclusionInline]
    actions = ("withdraw", "restore", "fail_control", "pass_control")

    @admin.action(description=_("Do not count: withdrawn"), permissions=["exclude"])
    def withdraw(self, request: HttpRequest, chosen: QuerySet[Vote]) -> None:
        self._exclude(request, chosen, ExclusionReason.WITHDRAWN)

    @admin.action(description=_("Lift: withdrawn"), permissions=["exclude"])
    def restore(self, request: HttpRequest, chosen: QuerySet[Vote]) -> None:
        self._lift(request, chosen, ExclusionReason.WITHDRAWN)

    @admin.action(description=_("Do not count: failed a control"), permissions=["exclude"])
    def fail_control(self, request: HttpRequest, chosen: QuerySet[Vote]) -> None:
        self._exclude(request, chosen, ExclusionReason.FAILED_CONTROL)

    @admin.action(description=_("Lift: failed a control"), permissions=["exclude"])
    def pass_control(self, request: HttpRequest, chosen: QuerySet[Vote]) -> None:
        self._lift(request, chosen, ExclusionReason.FAILED_CONTROL)

    def has_exclude_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("arena.add_exclusion")

    def _exclude(self, request: HttpRequest, chosen: QuerySet[Vote], reason: ExclusionReason) -> None:
        staff = request.user if isinstance(request.user, User) else None
        for vote in chosen:
            exclude(vote_id=vote.pk, reason=reason, source=ExclusionSource.STAFF, staff=staff)
        self.message_user(request, _("Done; the board has moved with it."), messages.SUCCESS)

    def _lift(self, request: HttpRequest, chosen: QuerySet[Vote], reason: ExclusionReason) -> None:
        for vote in chosen:
            lift(vote_id=vote.pk, reason=reason)
        self.message_user(request, _("Done; the board has moved with it."), messages.SUCCESS)
