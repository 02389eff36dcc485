"""Judging stored pairs: a page to begin, and a page a pair. The vote is cast as in any battle."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from arena import sessions
from arena.errors import Refused
from arena.forms import VoteForm
from arena.refusals import refusal_of
from arena.selectors import battles as battle_reads
from arena.selectors import campaigns
from arena.services.judging import give_pair
from arena.types import BattleSource, BattleStatus, RefusalCode
from arena.views.visitor import own_battle


@require_http_methods(["GET", "POST"])
@never_cache
def judge(request: HttpRequest) -> HttpResponse:
    """What judging is; a POST gives the next pair."""
    if request.method == "GET":
        return render(request, "judging/start.html")
    try:
        pair = give_pair(
            participant_id=sessions.participant_id(request.session), campaign=campaigns.current_campaign()
        )
    except Refused as refusal:
        told = refusal_of(refusal)
        messages.warning(request, str(told.of_a_pair or told.text))
        needs_consent = refusal.code is RefusalCode.CONSENT_NEEDED
        return redirect(f"{reverse('privacy')}?next={reverse('judge')}#give" if needs_consent else "judge")
    return redirect("judged_pair", battle_id=pair.pk)


@require_GET
@never_cache
def pair(request: HttpRequest, battle_id: UUID) -> HttpResponse:
    """The visitor's pair; for everybody else it does not exist, nor once its origin was taken back."""
    found = own_battle(request, battle_id)
    if found.source == BattleSource.LIVE.value:
        raise Http404
    is_open = BattleStatus(found.status) is BattleStatus.READY
    if not is_open:
        return redirect("battle", battle_id=found.pk)
    context = {
        "battle": battle_reads.battle_view(found),
        "vote_form": VoteForm(),
        "texts": campaigns.texts_of(found.campaign, get_language() or campaigns.SOURCE),
    }
    return render(request, "judging/pair.html", context)
