"""Raffles: a seed is committed to by adding one, and drawn by an action. The seed is shown nowhere before."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from arena.admin.readonly import ReadOnlyAdmin, ReadOnlyInline
from arena.errors import RaffleRefused
from arena.models import Draw, TicketHolder
from arena.services.raffles import commit_to_raffle, draw_raffle, problem_with_committing
from arena.types import RaffleProblem

PROBLEMS = {
    RaffleProblem.TOO_LATE: _("The campaign is over: a seed chosen now could be made to suit the tickets."),
    RaffleProblem.THERE_ALREADY: _("The campaign has its raffle already."),
    RaffleProblem.NOT_COMMITTED: _("No raffle was announced while the campaign ran."),
    RaffleProblem.TOO_EARLY: _("Votes may still come: draw an hour after the campaign's end or later."),
}


class DrawForm(forms.ModelForm[Draw]):
    class Meta:
        model = Draw
        fields = ("campaign", "prizes")

    def clean(self) -> dict[str, Any]:
        campaign = self.cleaned_data.get("campaign")
        problem = problem_with_committing(campaign) if campaign else None
        if problem is not None:
            raise ValidationError(PROBLEMS[problem])
        return self.cleaned_data


class WinnerInline(ReadOnlyInline[TicketHolder, Draw]):
    """Who won, with the address to write to; the public page has the pseudonyms alone."""

    model = TicketHolder
    verbose_name_plural = _("winners")
    fields = ("place", "pseudonym", "tickets", "address")

    def get_queryset(self, request: HttpRequest) -> QuerySet[TicketHolder]:
        winners = super().get_queryset(request).filter(place__isnull=False)
        return winners.select_related("participant__user").order_by("place")

    @admin.display(description=_("e-mail"))
    def address(self, winner: TicketHolder) -> str:
        user = winner.participant.user
        return user.email if user else ""


@admin.register(Draw)
class DrawAdmin(ReadOnlyAdmin[Draw]):
    form = DrawForm
    inlines = (WinnerInline,)
    fields = ("campaign", "prizes", "commitment", "committed_at", "drawn_at")
    list_display = ("campaign", "prizes", "committed_at", "drawn_at")
    list_select_related = ("campaign",)
    actions = ("draw",)

    def get_fields(self, request: HttpRequest, obj: Draw | None = None) -> Any:
        return self.fields if obj else self.fields[:2]

    def get_inlines(self, request: HttpRequest, obj: Draw | None) -> Any:
        return self.inlines if obj and obj.drawn_at and self.has_draw_permission(request) else ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("arena.add_draw")

    def has_draw_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("arena.change_draw")

    def save_model(self, request: HttpRequest, obj: Draw, form: forms.ModelForm[Draw], change: bool) -> None:
        made = commit_to_raffle(campaign_id=obj.campaign_id, prizes=obj.prizes)
        obj.pk, obj.commitment = made.pk, made.commitment

    @admin.action(description=_("Draw, once and for all"), permissions=["draw"])
    def draw(self, request: HttpRequest, chosen: QuerySet[Draw]) -> None:
        for each in chosen.select_related("campaign"):
            try:
                draw_raffle(campaign_id=each.campaign_id)
            except RaffleRefused as refusal:
                self.message_user(request, f"{each.campaign}: {PROBLEMS[refusal.problem]}", messages.ERROR)
            else:
                self.message_user(
                    request, _("%(campaign)s: it is drawn.") % {"campaign": each.campaign}, messages.SUCCESS
                )
