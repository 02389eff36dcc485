"""Control pairs, as staff see how they go. Read-only, and never to be told to volunteers."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from arena.admin.readonly import ReadOnlyAdmin
from arena.controls import ControlKind
from arena.models import Control
from arena.selectors.controls import control_rates, with_outcome
from arena.types import BattleStatus

KINDS: dict[ControlKind, str | Promise] = {
    ControlKind.IDENTICAL: _("the same answer twice"),
    ControlKind.CORRUPTED: _("an answer in disorder"),
    ControlKind.KNOWN_BAD: _("a candidate known to be bad"),
}


@admin.register(Control)
class ControlAdmin(ReadOnlyAdmin[Control]):
    list_display = ("battle", "campaign", "made", "worse", "given_at", "judged", "failed")
    list_filter = ("kind", "battle__campaign")
    list_select_related = ("battle__campaign",)
    ordering = ("-battle__created_at",)
    change_list_template = "admin/controls/list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Control]:
        return with_outcome(super().get_queryset(request))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        rates = [(KINDS[ControlKind(rate.kind)], rate) for rate in control_rates()]
        return super().changelist_view(request, {"rates": rates} | (extra_context or {}))

    @admin.display(description=_("kind"), ordering="kind")
    def made(self, control: Control) -> str | Promise:
        return KINDS[ControlKind(control.kind)]

    @admin.display(description=_("campaign"), ordering="battle__campaign__name")
    def campaign(self, control: Control) -> str:
        return control.battle.campaign.name

    @admin.display(description=_("given"), ordering="battle__created_at")
    def given_at(self, control: Control) -> Any:
        return control.battle.created_at

    @admin.display(description=_("judged"), boolean=True, ordering="battle__status")
    def judged(self, control: Control) -> bool:
        return control.battle.status == BattleStatus.VOTED.value

    @admin.display(description=_("failed"), boolean=True, ordering="has_failed")
    def failed(self, control: Control) -> bool:
        return bool(getattr(control, "has_failed", False))
