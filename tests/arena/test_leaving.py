"""Profile, consent, and what is left of somebody who asked to be deleted."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from arena import consent_text, sessions
from arena.errors import NotVotable, Refused, StaffStays
from arena.models import Answer, Battle, Campaign, Consent, Participant, Session, Turn, User, Vote
from arena.selectors.ballots import vote_table
from arena.selectors.judgements import Judgements
from arena.services import boards, people
from arena.services.accounts import ERASED
from arena.services.campaigns import CONSENT_VERSION
from arena.services.erasure import erase_participant
from arena.services.people import (
    choose_nickname,
    declare_profile,
    give_consent,
    join_guest,
    skip_profile,
    withdraw_consent,
)
from arena.services.turns import user_of
from arena.services.votes import cast_vote
from arena.types import Display, Education, LanguageLevel, Side
from inference.models import UserUsage
from ranking.filters import ExclusionReason
from ranking.selectors import load_tally
from ranking.types import Criterion, Outcome
from tests.arena.builders import (
    begin,
    complete,
    finish,
    make_campaign,
    make_participant,
    ready_battle,
)

pytestmark = pytest.mark.django_db
A, TIE = Outcome.A_BETTER, Outcome.TIE
PLANTED = "Xaguxarra"  # in everything that is somebody's own
DIGESTS = {
    "2026-11": {
        "eu": "f9860c98cc238f18324a8bd314e03a7aff1b927140001a7f7e45a0133db49e3d",
        "es": "6aa20afabadb7f5e9491f13e0ab88b3be948a0b454777effe5e608afcf180a64",
        "en": "55a69e5e06850d0ec5b954e24b9dec43660314d1a8cdeb6cd721709396262875",
    },
    "2026-12": {
        "eu": "60d0433cf2c2de3c15ac6ee55b029581f9e8a75a6ceb8e52b4e78b479d4b2061",
        "es": "97c0c2fde10f4dd91d69c136f0c817011d91db340039da702ecff297d70ca4d5",
        "fr": "06de9431f9a0dbe631cd6051f47ee5c9fb0269718e9ccbf050610f0eb74657ab",
        "en": "4d2faefe1664a5c7934bc74a1797b7629972712b2c45ca3f51529505bb1e7703",
    },
}


@pytest.fixture
def campaign() -> Campaign:
    return make_campaign()


@pytest.fixture
def volunteer(campaign: Campaign) -> Participant:
    return make_participant(campaign)


def voted(participant: Participant, text: str = "Kaixo") -> Vote:
    battle = finish(begin(participant, text=text))
    return cast_vote(battle_id=battle.pk, participant=battle.participant, judgements=Judgements(A, TIE))


def n_votes(campaign: Campaign) -> int:
    return load_tally(board_id=campaign.board_id, criterion=Criterion.OVERALL).n_votes


def said(vote: Vote) -> tuple[str, str]:
    vote.refresh_from_db()
    return vote.language_level, vote.education


# What somebody says of themselves


def test_the_first_answer_also_goes_with_todays_votes_and_later_ones_do_not(volunteer: Participant) -> None:
    yesterday, today = voted(volunteer, "Bart"), voted(volunteer, "Gaur")
    Vote.objects.filter(pk=yesterday.pk).update(created_at=timezone.now() - timedelta(days=1))
    declare_profile(participant_id=volunteer.pk, level=LanguageLevel.B, education=Education.BACHELOR)
    assert said(today) == ("B1-B2", "Bachelor")
    assert said(yesterday) == ("", "")
    declare_profile(participant_id=volunteer.pk, level=LanguageLevel.C, education=None)
    volunteer.refresh_from_db()
    later = voted(volunteer, "Gero")
    assert said(today) == ("B1-B2", "Bachelor")
    assert said(later) == ("C1-C2", "")


def test_statistics_see_the_level_of_the_votes_day(campaign: Campaign, volunteer: Participant) -> None:
    voted(volunteer, "Lehena")
    declare_profile(participant_id=volunteer.pk, level=LanguageLevel.A, education=Education.VOCATIONAL)
    declare_profile(participant_id=volunteer.pk, level=LanguageLevel.B, education=None)
    volunteer.refresh_from_db()
    voted(volunteer, "Bigarrena")
    table = vote_table(campaign.board)
    assert table.levels.tolist() == ["A1-A2", "B1-B2"]
    assert table.educations.tolist() == ["Vocational ed", ""]


def test_it_is_asked_after_the_first_vote_and_once(volunteer: Participant) -> None:
    from arena.selectors.people import asks_for_profile

    assert not asks_for_profile(volunteer)
    voted(volunteer)
    assert asks_for_profile(volunteer)
    skip_profile(participant_id=volunteer.pk)
    volunteer.refresh_from_db()
    assert not asks_for_profile(volunteer)
    assert (volunteer.language_level, volunteer.education) == ("", "")


def test_the_database_knows_no_other_level(volunteer: Participant) -> None:
    vote = voted(volunteer)
    for field in ("language_level", "education"):
        with pytest.raises(IntegrityError), transaction.atomic():
            Vote.objects.filter(pk=vote.pk).update(**{field: "D1"})


# Consent


@pytest.mark.parametrize("language", ["eu", "es", "fr", "en"])
def test_a_changed_consent_text_needs_a_new_version(language: str) -> None:
    """Mended by a new version in ``arena.services.campaigns`` and a new line here; an old line is never touched."""
    assert consent_text.digest(language) == DIGESTS[CONSENT_VERSION][language]


def test_a_consent_keeps_the_version_the_language_and_the_text(campaign: Campaign) -> None:
    for language in ("eu", "es"):
        give_consent(participant_id=None, campaign=campaign, language=language, is_14_or_older=True)
    kept = Consent.objects.order_by("language").values_list("version", "language", "text_digest")
    assert list(kept) == [
        (campaign.consent_version, language, consent_text.digest(language)) for language in ("es", "eu")
    ]


def test_whoever_agreed_to_the_text_of_before_is_asked_again(
    campaign: Campaign, volunteer: Participant
) -> None:
    volunteer.consents.update(version="2026-11")
    with pytest.raises(Refused, match="consent_needed"):
        begin(volunteer)
    give_consent(participant_id=volunteer.pk, campaign=campaign, language="eu", is_14_or_older=True)
    assert begin(volunteer).index == 1
    assert set(volunteer.consents.values_list("version", flat=True)) == {"2026-11", "2026-12"}


def test_withdrawn_consent_begins_no_battle_and_leaves_the_open_ones(
    campaign: Campaign, volunteer: Participant
) -> None:
    battle = ready_battle(volunteer)
    counted = voted(volunteer, "Agur")
    assert withdraw_consent(participant_id=volunteer.pk, takes_votes=False) == [battle.pk]
    with pytest.raises(Refused):
        begin(volunteer, text="Berriro")
    with pytest.raises(NotVotable):
        cast_vote(battle_id=battle.pk, participant=volunteer, judgements=Judgements(A, TIE))
    counted.refresh_from_db()
    assert counted.counted
    assert withdraw_consent(participant_id=volunteer.pk, takes_votes=False) == []


def test_consent_given_again_stands_beside_the_one_withdrawn(
    campaign: Campaign, volunteer: Participant
) -> None:
    withdraw_consent(participant_id=volunteer.pk, takes_votes=False)
    for _ in range(2):
        give_consent(participant_id=volunteer.pk, campaign=campaign, language="es", is_14_or_older=True)
    given = volunteer.consents.order_by("given_at")
    assert [(each.language, each.withdrawn_at is None) for each in given] == [("eu", False), ("es", True)]
    assert begin(volunteer, text="Berriro").index == 1


def test_votes_leave_the_board_with_the_consent_where_that_is_asked(
    campaign: Campaign, volunteer: Participant
) -> None:
    votes = [voted(volunteer, f"Galdera {n}") for n in range(3)]
    other = voted(make_participant(campaign))
    withdraw_consent(participant_id=volunteer.pk, takes_votes=True)
    for vote in votes:
        vote.refresh_from_db()
        assert (vote.counted, vote.credited) == (False, False)
        assert list(vote.exclusions.values_list("reason", "source")) == [("withdrawn", "volunteer")]
    other.refresh_from_db()
    assert other.counted
    assert n_votes(campaign) == 1
    assert boards.rebuild(board=campaign.board, check=True)


def test_a_withdrawal_that_fails_changes_nothing(
    campaign: Campaign, volunteer: Participant, monkeypatch: pytest.MonkeyPatch
) -> None:
    voted(volunteer)

    def breaks(**_: object) -> int:
        raise IntegrityError("scripted")

    monkeypatch.setattr(people, "exclude_all", breaks)
    with pytest.raises(IntegrityError):
        withdraw_consent(participant_id=volunteer.pk, takes_votes=True)
    assert volunteer.consents.filter(withdrawn_at=None).exists()


# Deletion


def somebody(campaign: Campaign) -> tuple[Participant, User, Client]:
    """An account that left something in every place where it can, logged in with two browsers."""
    user = User.objects.create_user(f"{PLANTED}-izena", f"{PLANTED}@adibidea.eus", first_name=PLANTED)
    EmailAddress.objects.create(user=user, email=f"{PLANTED}@adibidea.eus", verified=True, primary=True)
    guest = make_participant(campaign)
    own = join_guest(guest_id=guest.pk, user=user)
    declare_profile(participant_id=own.pk, level=LanguageLevel.C, education=Education.BACHELOR)
    Participant.objects.filter(pk=own.pk).update(
        theme="dark", text_size="larger", display=Display.PACED.value
    )
    choose_nickname(participant_id=own.pk, nickname=PLANTED)
    own.refresh_from_db()
    battle = finish(
        begin(own, text=f"{PLANTED} naiz"), complete(Side.A, f"Kaixo, {PLANTED}!"), complete(Side.B)
    )
    cast_vote(battle_id=battle.pk, participant=own, judgements=Judgements(A, TIE))
    begin(own, text=f"{PLANTED}: eta orain?")
    UserUsage.objects.create(user=user_of(own.pk), day=timezone.now().date(), tokens=7)
    for _ in range(2):
        client = Client()
        client.force_login(user)
        session = client.session
        sessions.remember_participant(session, own.pk)
        session["account_authentication_methods"] = [{"method": "code", "email": f"{PLANTED}@adibidea.eus"}]
        session.save()
    Client().force_login(user)  # a third one, which has not been on a page since
    return own, user, client


def everything_stored() -> str:
    """Every row of every table, as text; sessions are signed, not encrypted, so they are read."""
    found: list[str] = [str(session.get_decoded()) for session in Session.objects.all()]
    with connection.cursor() as cursor:
        for model in (each for each in apps.get_models() if each._meta.managed):
            table = connection.ops.quote_name(model._meta.db_table)
            cursor.execute(f"SELECT t::text FROM {table} t")
            found += [row[0] for row in cursor.fetchall()]
    return "\n".join(found)


def test_the_search_for_leftovers_finds_them(campaign: Campaign) -> None:
    somebody(campaign)
    assert everything_stored().count(PLANTED) >= 8


def test_nothing_of_somebody_deleted_is_left_in_any_table(campaign: Campaign) -> None:
    own, user, _ = somebody(campaign)
    stranger = make_participant(campaign)
    kept = voted(stranger, "Besterena")
    erase_participant(participant_id=own.pk)
    stored = everything_stored()
    assert PLANTED not in stored
    assert not User.objects.filter(pk=user.pk).exists()
    assert not EmailAddress.objects.exists()
    assert not Session.objects.exists()
    assert user_of(own.pk) not in stored.replace("-", "").replace(own.pk.hex, "")
    left = Participant.objects.get(pk=own.pk)
    assert (left.user, left.language_level, left.education, left.display, left.theme) == (
        None, "", "", "", "auto"
    )  # fmt: skip
    kept.refresh_from_db()
    assert kept.counted
    assert Turn.objects.get(battle__participant=stranger).text == "Besterena"


def test_the_votes_of_somebody_deleted_stay_of_nobody_and_count_nowhere(campaign: Campaign) -> None:
    own, _, _ = somebody(campaign)
    assert n_votes(campaign) == 1
    erase_participant(participant_id=own.pk)
    vote = Vote.objects.get()
    assert (vote.counted, vote.language_level, vote.education) == (False, "", "")
    assert list(vote.exclusions.values_list("reason", flat=True)) == [ExclusionReason.WITHDRAWN.value]
    assert n_votes(campaign) == 0
    assert vote_table(campaign.board).reasons.tolist() == [ExclusionReason.WITHDRAWN.bit]
    assert boards.rebuild(board=campaign.board, check=True)
    assert set(Turn.objects.values_list("text", flat=True)) == {ERASED}


def test_an_answer_that_is_still_written_is_not_stored_any_more(campaign: Campaign) -> None:
    volunteer = make_participant(campaign)
    turn = begin(volunteer, text="Kontatu luze")
    assert erase_participant(participant_id=volunteer.pk) == [turn.battle_id]
    finish(turn, complete(Side.A, PLANTED), complete(Side.B, PLANTED))
    assert PLANTED not in everything_stored()
    assert Battle.objects.get().status == "abandoned"
    assert set(Answer.objects.values_list("status", flat=True)) == {"interrupted"}


def test_nobody_comes_back_as_somebody_deleted(campaign: Campaign) -> None:
    own, _, client = somebody(campaign)
    erase_participant(participant_id=own.pk)
    assert "/me/delete/" not in client.get("/me/").content.decode()
    assert client.get("/me/delete/").status_code == 404
    again = Client()
    session = again.session
    sessions.remember_participant(session, own.pk)
    session.save()
    assert again.get("/me/delete/").status_code == 404
    given = give_consent(participant_id=own.pk, campaign=campaign, language="eu", is_14_or_older=True)
    assert given.pk != own.pk
    with pytest.raises(Participant.DoesNotExist):
        declare_profile(participant_id=own.pk, level=LanguageLevel.A, education=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        Participant.objects.filter(pk=own.pk).update(language_level="A1-A2")
    with pytest.raises(Participant.DoesNotExist):
        erase_participant(participant_id=own.pk)


def test_staff_cannot_delete_the_name_under_their_decisions(campaign: Campaign) -> None:
    user = User.objects.create_user("begirale", is_staff=True)
    own = join_guest(guest_id=None, user=user)
    with pytest.raises(StaffStays):
        erase_participant(participant_id=own.pk)
    assert User.objects.filter(pk=user.pk).exists()


def test_a_deletion_that_fails_leaves_everything(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    from arena.services import erasure

    own, _, _ = somebody(campaign)

    def breaks(_: UUID) -> str:
        raise IntegrityError("scripted")

    monkeypatch.setattr(erasure, "user_of", breaks)
    before = everything_stored()
    with pytest.raises(IntegrityError):
        erase_participant(participant_id=own.pk)
    assert everything_stored() == before


def test_sessions_say_whose_they_are(campaign: Campaign) -> None:
    client, participant = Client(), uuid4()
    session = client.session
    sessions.remember_participant(session, participant)
    session.save()
    assert Session.objects.get().participant_id == participant
    assert Session.objects.get().account_id is None
    user = User.objects.create_user("ane")
    client.force_login(user)
    assert set(Session.objects.values_list("account_id", "participant_id")) == {(user.pk, participant)}
