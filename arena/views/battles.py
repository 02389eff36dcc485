"""Start, battle, vote, consent: each view parses, calls one service, renders."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST

from arena import runner, sessions, starters
from arena.errors import (
    AccountNeeded,
    CampaignOver,
    CheckNeeded,
    NotVotable,
    Refused,
    VoteAlreadyCast,
    VoterBanned,
    VoteRefused,
)
from arena.forms import ConsentForm, DisplayForm, ProfileForm, VoteForm
from arena.models import Battle, Campaign, Participant
from arena.selectors import battles as battle_reads
from arena.selectors import campaigns, people
from arena.selectors.checks import is_due
from arena.selectors.reveals import reveal_view
from arena.services import battles, votes
from arena.services import people as people_services
from arena.types import BattleSource, BattleStatus, Display, LanguageLevel, Registration
from arena.views import feedback
from arena.views.visitor import onward, own_battle, participant_of

_MOST_DIGITS = 10
_REFUSALS: dict[type[VoteRefused], tuple[str | Promise, int]] = {
    VoteAlreadyCast: (_("You have already voted in this battle; that vote stands."), 409),
    NotVotable: (_("You can vote once both answers are complete."), 409),
    CampaignOver: (
        _("The campaign is over and takes no more votes. Thank you for your battles."),
        409,
    ),
    AccountNeeded: (
        _("This campaign takes votes of accounts. Sign up or log in: the battle comes along."),
        403,
    ),
    CheckNeeded: (
        _(
            "This campaign asks for a short Basque check before the first vote. It is at /check/; the battle waits for you."
        ),
        403,
    ),
    VoterBanned: (_("The moderators have closed Lehia to you: no vote of yours is taken."), 403),
}


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
        "display": _display_of(participant, campaign),
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
        return _vote_refused(request, found, form, 422)
    try:
        votes.cast_vote(battle_id=found.pk, participant=found.participant, judgements=judgements)
    except VoteRefused as refusal:
        message, status = _REFUSALS[type(refusal)]
        form.add_error(None, str(message))
        return _vote_refused(request, found, form, status)
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


def _display_of(participant: Participant | None, campaign: Campaign) -> str | None:
    """How the visitor's next answers will appear; ``None`` before there is anybody to remember it for."""
    return (participant.display or campaign.display) if participant is not None else None


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


def _vote_refused(request: HttpRequest, found: Battle, form: VoteForm, status: int) -> HttpResponse:
    if _is_fetch(request):
        message = " ".join(str(error) for errors in form.errors.values() for error in errors)
        return render(request, "battle/_vote_error.html", {"message": message}, status=status)
    page = "battle.html" if found.source == BattleSource.LIVE.value else "judging/pair.html"
    return render(request, page, _battle_context(found, form), status=status)


def _consent_refused(request: HttpRequest) -> HttpResponse:
    if "application/json" in request.headers.get("Accept", ""):
        return HttpResponse(status=422)
    return redirect(f"{reverse('start')}?consent=needed")


def _is_fetch(request: HttpRequest) -> bool:
    return request.headers.get("X-Requested-With") == "fetch"
