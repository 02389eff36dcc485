"""A volunteer's own page, and what they can do about themselves."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.contrib.auth import logout
from django.core.paginator import InvalidPage
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from arena import appearance, runner
from arena.appearance import Appearance
from arena.errors import NicknameTaken, StaffStays
from arena.forms import AppearanceForm, DeletionForm, NicknameForm, ProfileForm, WithdrawalForm
from arena.models import Participant
from arena.selectors import campaigns, mine, people, takeout
from arena.services import erasure
from arena.services import people as people_services
from arena.views.visitor import onward, pace_of, participant_of


@require_GET
@never_cache
def me(request: HttpRequest) -> HttpResponse:
    participant = participant_of(request)
    if participant is None:
        return render(request, "me/stranger.html", {"appearance_form": _appearance_form(request)})
    campaign = campaigns.current_campaign()
    context = {
        "participant": participant,
        **_history(request, participant),
        "standing": mine.my_standing(participant, campaign),
        "consent_given": people.has_consented(participant, campaign),
        "profile_form": ProfileForm(initial=_profile_of(participant)),
        "nickname_form": NicknameForm(initial={"nickname": participant.nickname}),
        "appearance_form": _appearance_form(request),
        **pace_of(participant, campaign),
        "was_hasty": mine.was_hasty_last_week(participant),
    }
    return render(request, "me/page.html", context)


@require_GET
@never_cache
def battles(request: HttpRequest) -> HttpResponse:
    """All battles of the visitor, a page at a time: unfinished ones to go on with, the others with who answered."""
    return render(request, "me/battles.html", _history(request, _somebody(request)))


def _history(request: HttpRequest, participant: Participant) -> dict[str, Any]:
    """``?page=`` of the battles; 404 where there is none."""
    try:
        page = mine.my_battles(participant, int(request.GET.get("page", "1")))
    except (InvalidPage, ValueError):
        raise Http404 from None
    return {"page": page, "battles": mine.listed(page)}


@require_POST
def profile(request: HttpRequest) -> HttpResponse:
    """Level and education, or that they were skipped; back to where the visitor was."""
    participant = _somebody(request)
    form = ProfileForm(request.POST)
    if "skip" in request.POST:
        people_services.skip_profile(participant_id=participant.pk)
    elif form.is_valid():
        people_services.declare_profile(
            participant_id=participant.pk, level=form.chosen_level, education=form.chosen_education
        )
        messages.success(request, _("Thank you; that is kept with your votes from today on."))
    else:
        return render(request, "me/profile.html", {"profile_form": form}, status=422)
    return redirect(onward(request, "me"))


@require_POST
def nickname(request: HttpRequest) -> HttpResponse:
    """On the boards of contributors under a nickname, or off them."""
    participant = _somebody(request)
    if "remove" in request.POST:
        people_services.drop_nickname(participant_id=participant.pk)
        messages.success(request, _("You are on no board of contributors."))
        return redirect("me")
    form = NicknameForm(request.POST)
    if participant.is_guest or not form.is_valid():
        return render(request, "me/nickname.html", {"nickname_form": form}, status=422)
    try:
        chosen = form.cleaned_data["nickname"]
        people_services.choose_nickname(participant_id=participant.pk, nickname=chosen)
    except NicknameTaken:
        form.add_error("nickname", _("Somebody else has this nickname: choose another one."))
        return render(request, "me/nickname.html", {"nickname_form": form}, status=422)
    messages.success(
        request, _("Done: you are on the boards of contributors, with votes of days that are over.")
    )
    return redirect("me")


@require_POST
def prefer_appearance(request: HttpRequest) -> HttpResponse:
    form = AppearanceForm(request.POST)
    response = redirect(onward(request, "me"))
    if form.is_valid():
        chosen = form.appearance
        appearance.remember(response, chosen)
        participant = participant_of(request)
        if participant is not None:
            people_services.prefer_appearance(
                participant_id=participant.pk,
                theme=chosen.theme,
                text_size=chosen.text_size,
                shortcuts=chosen.shortcuts,
            )
    return response


@require_POST
def withdraw(request: HttpRequest) -> HttpResponse:
    """Withdraw the consent; votes leave the boards where the tick says so."""
    form = WithdrawalForm(request.POST)
    form.is_valid()
    left = people_services.withdraw_consent(
        participant_id=_somebody(request).pk, takes_votes=bool(form.cleaned_data.get("votes"))
    )
    _stop(left)
    messages.success(request, _("Your consent is withdrawn. No new battle begins until you give it again."))
    return redirect("me")


@require_GET
@never_cache
def data(request: HttpRequest) -> StreamingHttpResponse:
    """All that is kept about the visitor, as one JSON object; written as it is read, so that no history is too long."""
    answer = StreamingHttpResponse(_written(_somebody(request)), content_type="application/json")
    answer["Content-Disposition"] = 'attachment; filename="lehia.json"'
    return answer


@require_http_methods(["GET", "POST"])
@never_cache
def delete(request: HttpRequest) -> HttpResponse:
    participant = _somebody(request)
    form = DeletionForm(request.POST if request.method == "POST" else None)
    if request.method == "GET" or not form.is_valid():
        status = 200 if request.method == "GET" else 422
        return render(request, "me/delete.html", {"form": form, "participant": participant}, status=status)
    try:
        left = erasure.erase_participant(participant_id=participant.pk)
    except StaffStays:
        form.add_error(None, _("An account of staff is closed by another member of staff."))
        return render(request, "me/delete.html", {"form": form, "participant": participant}, status=403)
    for battle_id in left:
        runner.current().forget_from_thread(battle_id)
    logout(request)
    response = render(request, "me/deleted.html")
    appearance.forget(response)
    return response


def _somebody(request: HttpRequest) -> Participant:
    participant = participant_of(request)
    if participant is None:
        raise Http404
    return participant


def _stop(battles: list[UUID]) -> None:
    for battle_id in battles:
        runner.current().interrupt_from_thread(battle_id)


def _profile_of(participant: Participant) -> dict[str, str]:
    return {"level": participant.language_level, "education": participant.education}


def _appearance_form(request: HttpRequest) -> AppearanceForm:
    now: Appearance = appearance.of_request(request)["appearance"]
    return AppearanceForm(
        initial={"theme": now.theme, "text_size": now.text_size, "shortcuts": now.shortcuts}
    )


async def _written(participant: Participant) -> AsyncIterator[bytes]:
    head = _plain(await sync_to_async(takeout.about)(participant))
    yield head.removesuffix("}").encode() + b', "battles": ['
    last: UUID | None = None
    while found := await sync_to_async(takeout.battles_after)(participant, last):
        yield b"".join(
            (b"" if last is None and at == 0 else b",\n") + _plain(battle).encode()
            for at, (_key, battle) in enumerate(found)
        )
        last = found[-1][0]
    yield b"]}\n"


def _plain(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)
