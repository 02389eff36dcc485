"""The queue of what may be a personal detail: staff say whether it is passed on. While it is open, it is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from arena.admin.readonly import ReadOnlyAdmin
from arena.models import Doubt, User
from arena.sanitizing import Decision, Kind
from arena.services.doubts import decide

if TYPE_CHECKING:
    from django.contrib.admin.filters import _ListFilterChoices

_AROUND = 60
"""So many characters on either side are shown with it."""
_KINDS = {
    Kind.EMAIL.value: _("e-mail address"),
    Kind.PHONE.value: _("telephone"),
    Kind.ID.value: _("identity number"),
    Kind.IBAN.value: _("account number"),
    Kind.CARD.value: _("card number"),
    Kind.ADDRESS.value: _("postal address"),
    Kind.HANDLE.value: _("name on another site"),
}
_DECISIONS = {
    Decision.OPEN.value: _("open"),
    Decision.REDACT.value: _("redacted"),
    Decision.KEEP.value: _("kept"),
}


class DecisionFilter(admin.SimpleListFilter):
    """Open ones, unless another decision is asked for."""

    title = _("decision")
    parameter_name = "decision"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        decided = (Decision.REDACT.value, Decision.KEEP.value)
        return [*((each, str(_DECISIONS[each])) for each in decided), ("all", gettext("all"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Doubt]) -> QuerySet[Doubt]:
        asked = self.value() or Decision.OPEN.value
        return queryset if asked == "all" else queryset.filter(decision=asked)

    def choices(self, changelist: ChangeList) -> Iterator[_ListFilterChoices]:
        first, *others = super().choices(changelist)
        first["display"] = gettext("open")  # Django calls the first one "all"
        yield from (first, *others)


@admin.register(Doubt)
class DoubtAdmin(ReadOnlyAdmin[Doubt]):
    list_display = ("passage", "what", "said", "staff", "decided_at", "found_at")
    list_filter = (DecisionFilter, "kind")
    list_select_related = ("turn", "answer", "staff")
    fields = ("passage", "what", "turn", "answer", "said", "staff", "decided_at", "found_at")
    actions = ("redact", "keep")

    @admin.display(description=_("passage"))
    def passage(self, doubt: Doubt) -> str:
        text, start, end = doubt.text, doubt.start, doubt.end
        before, after = text[max(0, start - _AROUND) : start], text[end : end + _AROUND]
        return format_html("{}<mark>{}</mark>{}", before, text[start:end], after)

    @admin.display(description=_("kind"), ordering="kind")
    def what(self, doubt: Doubt) -> str | Promise:
        return _KINDS[doubt.kind]

    @admin.display(description=_("decision"), ordering="decision")
    def said(self, doubt: Doubt) -> str | Promise:
        return _DECISIONS[doubt.decision]

    @admin.action(
        description=_("Redact: a tag stands in its place in what is passed on"), permissions=["decide"]
    )
    def redact(self, request: HttpRequest, chosen: QuerySet[Doubt]) -> None:
        self._decide(request, chosen, Decision.REDACT)

    @admin.action(description=_("Keep: it tells of nobody"), permissions=["decide"])
    def keep(self, request: HttpRequest, chosen: QuerySet[Doubt]) -> None:
        self._decide(request, chosen, Decision.KEEP)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("arena.add_exclusion")

    def _decide(self, request: HttpRequest, chosen: QuerySet[Doubt], decision: Decision) -> None:
        staff = request.user
        if not isinstance(staff, User):
            raise PermissionDenied
        ids = [*chosen.values_list("pk", flat=True)]
        for doubt_id in ids:
            decide(doubt_id=doubt_id, decision=decision, staff=staff)
        said = ngettext(
            "Decided of %(n)s passage, and wherever the same text stands.",
            "Decided of %(n)s passages, and wherever the same texts stand.",
            len(ids),
        )
        self.message_user(request, said % {"n": len(ids)}, messages.SUCCESS)
