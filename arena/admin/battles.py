"""Battles and votes: to look at, never to change."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin

from arena.admin.readonly import ReadOnlyAdmin, ReadOnlyInline
from arena.models import Answer, Battle, Judgement, Turn, Vote


class TurnInline(ReadOnlyInline[Turn, Battle]):
    model = Turn
    fields = ("index", "text", "created_at")


class AnswerInline(ReadOnlyInline[Answer, Turn]):
    model = Answer
    fields = ("side", "status", "text", "finish_reason", "error_code", "completion_tokens", "first_token_ms")


class JudgementInline(ReadOnlyInline[Judgement, Vote]):
    model = Judgement
    fields = ("criterion", "outcome")


@admin.register(Battle)
class BattleAdmin(ReadOnlyAdmin[Battle]):
    list_display = ("id", "campaign", "status", "candidate_a", "candidate_b", "policy", "created_at")
    list_filter = ("status", "campaign")
    list_select_related = ("campaign", "candidate_a", "candidate_b")
    date_hierarchy = "created_at"
    inlines: ClassVar = [TurnInline]


@admin.register(Turn)
class TurnAdmin(ReadOnlyAdmin[Turn]):
    list_display = ("id", "battle", "index", "created_at")
    inlines: ClassVar = [AnswerInline]


@admin.register(Vote)
class VoteAdmin(ReadOnlyAdmin[Vote]):
    list_display = ("id", "battle", "winner", "counted", "credited", "created_at")
    list_filter = ("winner", "counted")
    date_hierarchy = "created_at"
    inlines: ClassVar = [JudgementInline]
