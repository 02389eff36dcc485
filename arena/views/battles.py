"""Start, battle, vote, consent: each view parses, calls one service, renders."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST

from arena import runner, sessions, starters
from arena.errors import CheckNeeded, NotYourBattle, Refused, VoteRefused
from arena.forms import ConsentForm, DisplayForm, ProfileForm, VoteForm
from arena.models import Battle, Campaign, Participant
from arena.observing import metrics
from arena.refusals import refusal_of
from arena.selectors import battles as battle_reads
from arena.selectors import campaigns, people
from arena.selectors.checks import is_due
from arena.selectors.reveals import reveal_view
from arena.services import battles, cooldown, votes
from arena.services import people as people_services
from arena.types import BattleSource, BattleStatus, Display, LanguageLevel, Registration
from arena.views import feedback
from arena.views.visitor import onward, own_battle, pace_of, participant_of
from arena.visitors import address_of

_MOST_DIGITS = 10


@require_GET
@never_cache
@ensure_csrf_cookie
def start(request: HttpRequest) -> HttpResponse:
    campaign = campaigns.current_campaign()
    participant = participant_of(request)
    if participant is not None and participant.banned_at is not None:
        return render(request, "banned.html", {"banned_at": participant.banned_at}, status=403)
    context = {
        "pulse": campaigns.pulse(campaign),
        "texts": campaigns.texts_of(campaign, get_language() or campaigns.SOURCE),
        "check_due": is_due(campaign, participant),
        "needs_account": _needs_account(participant, campaign),
        "starters": _starters(request),
        "levels": list(LanguageLevel),
        "consent_given": people.has_consented(participant, campaign),
        "limits": {"max_chars": campaign.max_prompt_chars, "max_turns": campaign.max_turns},
        **pace_of(participant, campaign),
        "prompt": request.GET.get("prompt", "")[: campaign.max_prompt_chars],
        "unfinished": battle_reads.unfinished_battles(participant),
        "battle": None,
    }
    return render(request, "start.html", context)


def _starters(request: HttpRequest) -> starters.Selection:
    """``?level=``, ``?more=`` and ``?seed=``; what is not understood is left out. Without a seed, the day's."""
    level = next((each for each in LanguageLevel if each.value == request.GET.get("level")), None)
    today = timezone.localdate().toordinal()
    return starters.select(seed=_whole(request, "seed", today), page=_whole(request, "more", 0), level=level)


def _whole(request: HttpRequest, name: str, otherwise: int) -> int:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < _MOST_DIGITS else otherwise


@require_GET
@never_cache
@ensure_csrf_cookie
def battle(request: HttpRequest, battle_id: UUID) -> HttpResponse:
    found = own_battle(request, battle_id)
    if found.source != BattleSource.LIVE.value and found.status == BattleStatus.READY.value:
        return redirect("judged_pair", battle_id=found.pk)
    return render(request, "battle.html", _battle_context(found, VoteForm()))


@require_POST
def consent(request: HttpRequest) -> HttpResponse:
    form = ConsentForm(request.POST)
    if not form.is_valid():
        return _consent_refused(request)
    if participant_of(request) is None and not request.user.is_authenticated:
        wait = cooldown.let_in(address=address_of(request), ticket=request.POST.get("ticket", ""))
        if wait is not None:
            return _cooling(request, wait)
    participant = people_services.give_consent(
        participant_id=sessions.participant_id(request.session),
        campaign=campaigns.current_campaign(),
        language=get_language() or campaigns.SOURCE,
        is_14_or_older=form.cleaned_data["adult"],
    )
    sessions.remember_participant(request.session, participant.pk)
    if "application/json" in request.headers.get("Accept", ""):
        return HttpResponse(status=204)
    return redirect(onward(request, "start"))


@require_POST
def prefer_display(request: HttpRequest) -> HttpResponse:
    """How answers appear from the next battle on; nothing changes for somebody who has not begun yet."""
    form = DisplayForm(request.POST)
    participant_id = sessions.participant_id(request.session)
    if form.is_valid() and participant_id is not None:
        people_services.prefer_display(
            participant_id=participant_id, display=Display(form.cleaned_data["display"])
        )
    return redirect(onward(request, "start"))


@require_POST
def vote(request: HttpRequest, battle_id: UUID) -> HttpResponse:
    found = own_battle(request, battle_id)
    form = VoteForm(request.POST)
    judgements = form.judgements()
    if judgements is None:
        metrics.vote_refused("Incomplete")
        return _vote_refused(request, found, form, 422)
    try:
        votes.cast_vote(battle_id=found.pk, participant=found.participant, judgements=judgements)
    except NotYourBattle:  # its guest has just joined an account: sent again, the vote comes from there
        raise Http404 from None
    except VoteRefused as error:
        metrics.vote_refused(type(error).__name__)
        refusal = refusal_of(error)
        form.add_error(None, str(refusal.text))
        check_needed = isinstance(error, CheckNeeded)
        return _vote_refused(request, found, form, refusal.status, check_needed=check_needed)
    if _is_fetch(request):
        found.refresh_from_db()
        return render(request, "battle/_reveal.html", _revealed(found))
    return redirect("battle", battle_id=found.pk)


@require_POST
def abandon(request: HttpRequest, battle_id: UUID) -> HttpResponse:
    """Leave the battle, stop its generation, and start afresh. A voted battle is simply left behind."""
    try:
        battles.abandon(participant_id=sessions.participant_id(request.session), battle_id=battle_id)
    except Refused:
        raise Http404 from None
    runner.current().interrupt_from_thread(battle_id)
    return redirect(onward(request, "start"))


def _needs_account(participant: Participant | None, campaign: Campaign) -> bool:
    is_guest = participant is None or participant.is_guest
    return is_guest and campaign.registration != Registration.NOTHING.value


def _battle_context(found: Battle, form: VoteForm) -> dict[str, Any]:
    voted = BattleStatus(found.status) is BattleStatus.VOTED
    return {
        "battle": battle_reads.battle_view(found),
        "limits": {"max_chars": found.campaign.max_prompt_chars, "max_turns": found.campaign.max_turns},
        "consent_given": True,
        "vote_form": form,
        "texts": campaigns.texts_of(found.campaign, get_language() or campaigns.SOURCE),
        **(_revealed(found) if voted else {}),
    }


def _revealed(found: Battle) -> dict[str, Any]:
    asks = people.asks_for_profile(found.participant)
    return {
        "reveal": reveal_view(found),
        "profile_form": ProfileForm() if asks else None,
        **feedback.context_of(found),
    }


def _vote_refused(
    request: HttpRequest, found: Battle, form: VoteForm, status: int, *, check_needed: bool = False
) -> HttpResponse:
    if _is_fetch(request):
        message = " ".join(str(error) for errors in form.errors.values() for error in errors)
        return render(
            request,
            "battle/_vote_error.html",
            {"message": message, "check_needed": check_needed},
            status=status,
        )
    page = "battle.html" if found.source == BattleSource.LIVE.value else "judging/pair.html"
    return render(
        request, page, {**_battle_context(found, form), "check_needed": check_needed}, status=status
    )


def _consent_refused(request: HttpRequest) -> HttpResponse:
    if "application/json" in request.headers.get("Accept", ""):
        return HttpResponse(status=422)
    return redirect(f"{reverse('start')}?consent=needed")


def _cooling(request: HttpRequest, wait: cooldown.Wait) -> HttpResponse:
    context = {"wait": wait, "next": request.POST.get("next", "")}
    response = render(request, "cooldown.html", context, status=429)
    response["Retry-After"] = str(wait.seconds)
    return response


def _is_fetch(request: HttpRequest) -> bool:
    return request.headers.get("X-Requested-With") == "fetch"
