"""The review queue: what statistics say against volunteers. Staff confirm or dismiss; before, votes are held at most."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from arena.admin.readonly import ReadOnlyAdmin
from arena.models import Finding, User
from arena.reports.labels import value_label
from arena.services.reviews import confirm, dismiss
from arena.types import FindingState

if TYPE_CHECKING:
    from django.contrib.admin.filters import _ListFilterChoices


class StateFilter(admin.SimpleListFilter):
    """Open ones, unless another state is asked for."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [
            (FindingState.CONFIRMED.value, gettext("confirmed")),
            (FindingState.DISMISSED.value, gettext("dismissed")),
            ("all", gettext("all")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Finding]) -> QuerySet[Finding]:
        asked = self.value() or FindingState.OPEN.value
        return queryset if asked == "all" else queryset.filter(state=asked)

    def choices(self, changelist: ChangeList) -> Iterator[_ListFilterChoices]:
        first, *others = super().choices(changelist)
        first["display"] = gettext("open")  # Django calls the first one "all"
        yield from (first, *others)


@admin.register(Finding)
class FindingAdmin(ReadOnlyAdmin[Finding]):
    list_display = (
        "participant",
        "reason",
        "model",
        "statistic",
        "p",
        "q",
        "n_votes",
        "controls",
        "held",
        "board",
        "found_at",
    )
    list_filter = (StateFilter, ("participant__held_at", admin.EmptyFieldListFilter), "test", "board")
    list_select_related = ("board", "participant")
    actions = ("confirm", "dismiss")

    @admin.display(description=_("reason"), ordering="test")
    def reason(self, finding: Finding) -> str | Promise:
        return value_label("test", finding.test)

    @admin.display(description=_("controls failed"), ordering="n_controls_failed")
    def controls(self, finding: Finding) -> str:
        """Of those that they judged."""
        return f"{finding.n_controls_failed} / {finding.n_controls}"

    @admin.display(description=_("held until decided"), boolean=True, ordering="participant__held_at")
    def held(self, finding: Finding) -> bool:
        return finding.participant.held_at is not None

    @admin.action(description=_("Confirm: count none of their votes"), permissions=["decide"])
    def confirm(self, request: HttpRequest, chosen: QuerySet[Finding]) -> None:
        staff = _staff(request)
        for finding_id in [*chosen.values_list("pk", flat=True)]:
            confirm(finding_id=finding_id, staff=staff)
        self.message_user(request, _("Done; the board has moved with it."), messages.SUCCESS)

    @admin.action(description=_("Dismiss: their votes count, held ones too"), permissions=["decide"])
    def dismiss(self, request: HttpRequest, chosen: QuerySet[Finding]) -> None:
        staff = _staff(request)
        for finding_id in [*chosen.values_list("pk", flat=True)]:
            dismiss(finding_id=finding_id, staff=staff)
        self.message_user(
            request, _("Done; what was held counts again, unless another finding is open."), messages.SUCCESS
        )

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("arena.add_exclusion")


def _staff(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None
