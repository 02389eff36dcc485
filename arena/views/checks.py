"""The Basque check: all questions on one page, and then how it went."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from arena.forms import CheckForm
from arena.selectors import campaigns
from arena.selectors.checks import has_check, standing_result
from arena.services.checks import answer_check
from arena.types import BasqueCheck
from arena.views.visitor import participant_of


@require_http_methods(["GET", "POST"])
@never_cache
def check(request: HttpRequest) -> HttpResponse:
    """The questions, or the result once they were answered today. Which answers were right is not told."""
    campaign, participant = campaigns.current_campaign(), participant_of(request)
    if not has_check(campaign):
        raise Http404
    if participant is None:
        return redirect(f"{reverse('privacy')}#give")
    result = standing_result(campaign, participant)
    if result is not None and result.day == timezone.localdate():
        return render(request, "check.html", {"result": result})
    form = CheckForm(request.POST or None, questions=campaign.check_questions.all())
    if request.method == "POST" and form.is_valid():
        answer_check(participant_id=participant.pk, campaign=campaign, chosen=form.chosen())
        return redirect("check")
    context = {"form": form, "may_skip": campaign.basque_check == BasqueCheck.OFFERED.value}
    return render(request, "check.html", context, status=422 if request.method == "POST" else 200)
