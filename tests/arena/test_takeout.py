"""The file of everything that is kept about a volunteer."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils import timezone

from arena import sessions
from arena.models import Battle, Campaign, ExportJob, Participant, User, Vote
from arena.selectors import mine, takeout
from arena.selectors.judgements import Judgements
from arena.services.data_log import note_download
from arena.services.exclusions import exclude
from arena.services.export_jobs import run_export
from arena.services.people import declare_profile, join_guest, withdraw_consent
from arena.services.tokens import issue, note_use
from arena.services.votes import cast_vote
from arena.types import ApiScope, ExclusionSource, LanguageLevel
from inference.models import Candidate
from ranking.filters import ExclusionReason
from ranking.types import Outcome
from tests.arena.builders import a_day_passes, begin, finish, make_campaign, make_participant, ready_battle
from tests.arena.exports.jobs.made import ordered

SILENT = (ExclusionReason.HELD, ExclusionReason.FLAGGED_USER, ExclusionReason.FAILED_CONTROL)
A, B, TIE, BAD = Outcome.A_BETTER, Outcome.B_BETTER, Outcome.TIE, Outcome.BOTH_BAD


@pytest.fixture
def campaign(db: None) -> Campaign:
    return make_campaign()


@pytest.fixture
def volunteer(campaign: Campaign) -> Participant:
    return make_participant(campaign)


@pytest.fixture
def browser(client: Client, volunteer: Participant) -> Client:
    session = client.session
    sessions.remember_participant(session, volunteer.pk)
    session.save()
    return client


def vote_on(battle: Battle, outcome: Outcome = A) -> Vote:
    return cast_vote(battle_id=battle.pk, participant=battle.participant, judgements=Judgements(outcome, TIE))


async def downloaded(participant: Participant) -> dict[str, Any]:
    client = AsyncClient()
    session = await sync_to_async(lambda: client.session)()
    sessions.remember_participant(session, participant.pk)
    await sync_to_async(session.save)()
    answer: Any = await client.get(reverse("my_data"))
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == 'attachment; filename="lehia.json"'
    parts = [part async for part in answer.streaming_content]
    await sync_to_async(connections.close_all)()
    found: dict[str, Any] = json.loads(b"".join(parts))
    return found | {"parts": len(parts)}


def a_life() -> Participant:
    campaign = make_campaign()
    Campaign.objects.update(guest_open_battles=9)
    user = User.objects.create_user("ane", "ane@adibidea.eus")
    volunteer = join_guest(guest_id=make_participant(campaign).pk, user=user)
    declare_profile(participant_id=volunteer.pk, level=LanguageLevel.C, education=None)
    volunteer.refresh_from_db()
    vote_on(finish(begin(volunteer, text="Zer da hau?")), B)
    ready_battle(volunteer)
    ready_battle(volunteer)
    return volunteer


@pytest.mark.django_db(transaction=True)
async def test_the_file_holds_everything_and_is_written_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(takeout, "BATTLES_AT_ONCE", 2)
    volunteer = await sync_to_async(a_life)()
    found = await downloaded(volunteer)
    assert found["parts"] == 4  # what is about them, two battles, one battle, the end
    assert found["account"]["email"] == "ane@adibidea.eus"
    assert found["participant"]["language_level"] == "C1-C2"
    assert [(each["language"], each["withdrawn"]) for each in found["consents"]] == [("eu", None)]
    assert len(found["battles"]) == len({each["id"] for each in found["battles"]}) == 3
    [voted] = [each for each in found["battles"] if each["vote"]]
    codes = await sync_to_async(lambda: set(Candidate.objects.values_list("code", flat=True)))()
    assert {voted["model_a"], voted["model_b"]} == codes
    assert voted["turns"][0]["message"] == "Zer da hau?"
    assert voted["turns"][0]["answers"]["A"]["text"] == "Erantzuna"
    assert (voted["vote"]["content"], voted["vote"]["language_level"]) == ("b_better", "C1-C2")
    for each in found["battles"]:
        if each is not voted:
            assert (each["model_a"], each["model_b"], each["vote"]) == (None, None, None)


@pytest.mark.django_db(transaction=True)
async def test_the_file_of_a_guest_without_battles_is_whole() -> None:
    guest = await sync_to_async(lambda: make_participant(make_campaign()))()
    found = await downloaded(guest)
    assert (found["account"], found["battles"]) == (None, [])


def test_the_file_says_why_a_vote_does_not_count(volunteer: Participant) -> None:
    vote_on(ready_battle(volunteer))
    withdraw_consent(participant_id=volunteer.pk, takes_votes=True)
    [(_key, battle)] = takeout.battles_after(volunteer, None)
    assert (battle["vote"]["counted"], battle["vote"]["not_counted_because"]) == (None, None), "not today"
    a_day_passes()
    [(_key, battle)] = takeout.battles_after(volunteer, None)
    assert battle["vote"]["not_counted_because"] == ["withdrawn"]
    assert takeout.about(volunteer)["consents"][0]["withdrawn"] is not None


@pytest.mark.parametrize("told", [False, True])
def test_haste_is_told_by_the_week_and_no_vote_shows_it(volunteer: Participant, *, told: bool) -> None:
    """Nor do holds, flags and failed controls, whether anything else speaks against the vote or not."""
    votes = [vote_on(finish(begin(volunteer, text=text))) for text in ("Bat", "Bi")]
    monday = mine.this_monday()
    Vote.objects.update(created_at=monday - timedelta(days=3))
    if told:
        for vote in votes:
            exclude(vote_id=vote.pk, reason=ExclusionReason.IDENTITY_LEAK, source=ExclusionSource.RULE)
    hasty, other = votes
    Vote.objects.filter(pk=other.pk).update(created_at=monday - timedelta(days=17))

    def of_votes() -> dict[str, Any]:
        battles = takeout.battles_after(volunteer, None)
        return {str(key): battle["vote"] for key, battle in battles}

    before = of_votes()
    assert [vote["counted"] for vote in before.values()] == [False if told else None] * 2
    assert takeout.about(volunteer)["hasty_weeks"] == []
    for reason in (ExclusionReason.TOO_FAST, ExclusionReason.RATE, *SILENT):
        exclude(vote_id=hasty.pk, reason=reason, source=ExclusionSource.RULE)
    assert of_votes() == before
    found = takeout.about(volunteer)
    assert found["hasty_weeks"] == [(monday - timedelta(days=7)).date().isoformat()]
    assert [each["votes"] for each in found["credited"]] == [1]
    Vote.objects.filter(pk=hasty.pk).update(created_at=monday)
    assert takeout.about(volunteer)["hasty_weeks"] == [], "not before the week is over"


@pytest.mark.django_db(transaction=True)
async def test_the_file_of_a_researcher_holds_their_work_with_the_data_and_nobody_elses() -> None:
    def work() -> Participant:
        volunteer = a_life()
        for user in (volunteer.user, User.objects.create_user("jon", "jon@adibidea.eus")):
            assert user is not None
            issued = issue(
                owner=user,
                name=f"{user.username}ren koadernoa",
                scopes=[ApiScope.CANDIDATES],
                expires_at=timezone.now() + timedelta(days=1),
            )
            note_use(token_id=issued.token.pk, scope=None)
            run_export(job_id=ordered(user).pk)
            note_download(ExportJob.objects.select_related("export").get(by=user), by=user, size_bytes=9)
        return volunteer

    found = (await downloaded(await sync_to_async(work)()))["account"]
    (token,) = found["api_tokens"]
    assert (token["for"], token["scopes"], token["requests"]) == ("aneren koadernoa", ["candidates"], 1)
    assert [each["state"] for each in found["ordered_exports"]] == ["done"]
    assert [each["layout"] for each in found["exports"]] == ["dpo"]
    assert [each["act"] for each in found["downloads_and_imports"]] == ["downloaded"]
    assert "digest" not in json.dumps(found)
