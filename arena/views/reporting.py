"""A volunteer reports a battle of theirs; works without scripts."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from arena.errors import TooManyReports
from arena.forms import ReportForm
from arena.selectors.moderation import open_report
from arena.services.report_queue import report_battle
from arena.types import ReportReason
from arena.views.visitor import own_battle


@require_http_methods(["GET", "POST"])
@never_cache
def report(request: HttpRequest, battle_id: UUID) -> HttpResponse:
    """The form; while a report is open, what happens with it and where help is."""
    found = own_battle(request, battle_id)
    standing = open_report(found)
    if standing is not None:
        return render(request, "moderation/reported.html", {"report": standing, "battle_id": found.pk})
    form = ReportForm(request.POST if request.method == "POST" else None)
    if request.method == "GET":
        return _asked(request, battle_id, form, 200)
    if not form.is_valid():
        return _asked(request, battle_id, form, 422)
    try:
        report_battle(
            battle_id=found.pk,
            participant_id=found.participant_id,
            reason=ReportReason(form.cleaned_data["reason"]),
            words=form.cleaned_data["words"],
        )
    except TooManyReports:
        form.add_error(
            None, _("You have reported many battles today. They are being looked at; come back tomorrow.")
        )
        return _asked(request, battle_id, form, 429)
    return redirect("report_battle", battle_id=found.pk)


def _asked(request: HttpRequest, battle_id: UUID, form: ReportForm, status: int) -> HttpResponse:
    return render(request, "moderation/report.html", {"form": form, "battle_id": battle_id}, status=status)
