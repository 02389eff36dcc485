"""What moderators do, and that boards, sockets, pages and the ledger follow."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from arena.errors import NotVoted, Refused, VoterBanned
from arena.models import Battle, Campaign, ModerationEntry, Participant, User, Vote
from arena.selectors.judgements import Judgements
from arena.selectors.moderation import shown_to_others
from arena.selectors.voting import Asked, RecentVotes
from arena.services import boards, moderation, screening, votes
from arena.services.erasure import erase_participant
from arena.services.exclusions import exclude
from arena.services.moderation import (
    ban_participant,
    exclude_vote,
    hide_battle,
    leave_note,
    restore_vote,
    show_battle,
    unban_participant,
)
from arena.services.people import join_guest, withdraw_consent
from arena.services.votes import cast_vote
from arena.types import ExclusionSource, RefusalCode
from ranking.filters import ExclusionReason
from ranking.selectors import load_tally
from ranking.types import Criterion, Outcome
from tests.arena.builders import begin, finish, make_campaign, make_participant, ready_battle
from tests.arena.test_pages import signed_in

pytestmark = pytest.mark.django_db
A, TIE = Outcome.A_BETTER, Outcome.TIE


@pytest.fixture
def campaign() -> Campaign:
    return make_campaign()


@pytest.fixture
def volunteer(campaign: Campaign) -> Participant:
    return make_participant(campaign)


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_user("begirale", is_staff=True)


def voted(participant: Participant, text: str = "Kaixo") -> Vote:
    battle = finish(begin(participant, text=text))
    return cast_vote(battle_id=battle.pk, participant=battle.participant, judgements=Judgements(A, TIE))


def standing(vote: Vote) -> tuple[bool, bool, set[str]]:
    vote.refresh_from_db()
    reasons = set(vote.exclusions.filter(lifted_at=None).values_list("reason", flat=True))
    return vote.counted, vote.credited, reasons


def n_votes(campaign: Campaign) -> int:
    return load_tally(board_id=campaign.board_id, criterion=Criterion.OVERALL).n_votes


def acts() -> list[tuple[str, str]]:
    return list(ModerationEntry.objects.order_by("pk").values_list("act", "note"))


ASIDE = (False, False, {"moderated"})
COUNTED: tuple[bool, bool, set[str]] = (True, True, set())


# What others are shown


def shown() -> set[object]:
    return set(shown_to_others(Battle.objects.all()).values_list("pk", flat=True))


def test_a_hidden_battle_is_shown_to_its_volunteer_alone_and_its_vote_counts(
    volunteer: Participant, staff: User, client: Client
) -> None:
    vote = voted(volunteer)
    for _ in range(2):
        hide_battle(battle_id=vote.battle_id, staff=staff, note="izen bat dago")
    assert shown() == set()
    assert standing(vote) == COUNTED
    signed_in(client, volunteer)
    assert client.get(reverse("battle", args=[vote.battle_id])).status_code == 200
    for _ in range(2):
        show_battle(battle_id=vote.battle_id, staff=staff)
    assert shown() == {vote.battle_id}
    assert acts() == [("hide", "izen bat dago"), ("show", "")]


def _ban(participant: Participant, staff: User) -> None:
    ban_participant(participant_id=participant.pk, staff=staff)


def _withdraw(participant: Participant, _: User) -> None:
    withdraw_consent(participant_id=participant.pk, takes_votes=False)


def _erase(participant: Participant, _: User) -> None:
    erase_participant(participant_id=participant.pk)


def _take_back(participant: Participant, _: User) -> None:
    exclude(
        vote_id=participant.votes.get().pk,
        reason=ExclusionReason.WITHDRAWN,
        source=ExclusionSource.VOLUNTEER,
    )


@pytest.mark.parametrize("leave", [_ban, _withdraw, _erase, _take_back])
def test_battles_of_somebody_who_left_are_shown_to_nobody(
    campaign: Campaign,
    volunteer: Participant,
    staff: User,
    leave: Callable[[Participant, User], None],
) -> None:
    kept = voted(make_participant(campaign))
    gone = voted(volunteer)
    assert shown() == {kept.battle_id, gone.battle_id}
    leave(volunteer, staff)
    assert shown() == {kept.battle_id}


# Votes


def test_a_vote_set_aside_leaves_the_board_and_comes_back(
    campaign: Campaign, volunteer: Participant, staff: User
) -> None:
    vote, other = voted(volunteer), voted(volunteer, "Agur")
    exclude_vote(battle_id=vote.battle_id, staff=staff, note="iraina")
    assert (standing(vote), standing(other), n_votes(campaign)) == (ASIDE, COUNTED, 1)
    assert vote.exclusions.get().staff == staff
    restore_vote(battle_id=vote.battle_id, staff=staff)
    assert (standing(vote), n_votes(campaign)) == (COUNTED, 2)
    assert acts() == [("exclude", "iraina"), ("restore", "")]
    assert boards.rebuild(board=campaign.board, check=True)


def test_there_is_nothing_to_set_aside_before_the_vote(volunteer: Participant, staff: User) -> None:
    battle = ready_battle(volunteer)
    for act in (exclude_vote, restore_vote):
        with pytest.raises(NotVoted):
            act(battle_id=battle.pk, staff=staff)
    assert acts() == []


# Bans


def test_who_is_banned_neither_asks_nor_votes_and_none_of_their_votes_count(
    campaign: Campaign, volunteer: Participant, staff: User
) -> None:
    vote, kept = voted(volunteer), voted(make_participant(campaign))
    battle = finish(begin(volunteer, text="Agur"))
    for _ in range(2):
        assert ban_participant(participant_id=volunteer.pk, staff=staff, note="botoak erosten") == 1
    assert (standing(vote), standing(kept), n_votes(campaign)) == (ASIDE, COUNTED, 1)
    for turn_of in (None, battle):
        with pytest.raises(Refused) as refusal:
            begin(volunteer, turn_of)
        assert refusal.value.code is RefusalCode.BANNED
    with pytest.raises(VoterBanned):
        cast_vote(battle_id=battle.pk, participant=volunteer, judgements=Judgements(A, TIE))
    assert Vote.objects.count() == 2
    battle.refresh_from_db()
    assert battle.status == "ready"
    assert unban_participant(participant_id=volunteer.pk, staff=staff) == 1
    assert unban_participant(participant_id=volunteer.pk, staff=staff) == 0
    volunteer.refresh_from_db()
    assert cast_vote(battle_id=battle.pk, participant=volunteer, judgements=Judgements(A, TIE)).counted
    assert n_votes(campaign) == 3
    assert acts() == [("ban", "botoak erosten"), ("unban", "")]


def test_the_end_of_a_ban_leaves_aside_what_was_set_aside_for_its_own_sake(
    campaign: Campaign, volunteer: Participant, staff: User
) -> None:
    own, plain, back = (voted(volunteer, text) for text in ("Bat", "Bi", "Hiru"))
    exclude_vote(battle_id=own.battle_id, staff=staff)
    exclude_vote(battle_id=back.battle_id, staff=staff)
    ban_participant(participant_id=volunteer.pk, staff=staff)
    restore_vote(battle_id=back.battle_id, staff=staff)
    assert standing(back) == ASIDE
    unban_participant(participant_id=volunteer.pk, staff=staff)
    assert [standing(each) for each in (own, plain, back)] == [ASIDE, COUNTED, COUNTED]
    assert boards.rebuild(board=campaign.board, check=True)


def test_a_banned_guest_brings_the_ban_to_the_account(
    campaign: Campaign, volunteer: Participant, staff: User
) -> None:
    user = User.objects.create_user("ane")
    earlier = voted(join_guest(guest_id=make_participant(campaign).pk, user=user))
    later = voted(volunteer)
    ban_participant(participant_id=volunteer.pk, staff=staff)
    own = join_guest(guest_id=volunteer.pk, user=user)
    assert own.banned_at is not None
    assert standing(earlier) == standing(later) == ASIDE
    assert own.moderation.get().act == "ban"


def test_the_pages_of_who_is_banned_say_so_and_keep_their_data_open(
    volunteer: Participant, staff: User, client: Client
) -> None:
    battle = ready_battle(volunteer)
    signed_in(client, volunteer)
    ban_participant(participant_id=volunteer.pk, staff=staff)
    start = client.get("/")
    assert start.status_code == 403
    assert "Zuretzat itxita" in start.content.decode()
    answer = client.post(reverse("vote", args=[battle.pk]), {"content": "tie", "language": "tie"})
    assert answer.status_code == 403
    assert "itxi dizute" in answer.content.decode()
    for address in ("/me/", "/me/data.json", "/me/delete/"):
        assert client.get(address).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_ban_that_comes_while_a_vote_is_cast_sets_that_vote_aside(
    campaign: Campaign, volunteer: Participant, staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    battle = ready_battle(volunteer)
    asked = screening.reasons_against

    def elsewhere() -> None:
        ban_participant(participant_id=volunteer.pk, staff=staff)
        connection.close()

    other = threading.Thread(target=elsewhere)

    def while_it_is_cast(
        found: Battle, chat: list[Asked], winner: Outcome, recent: RecentVotes
    ) -> list[ExclusionReason]:
        other.start()
        return asked(found, chat, winner, recent)

    monkeypatch.setattr(votes, "reasons_against", while_it_is_cast)
    vote = cast_vote(battle_id=battle.pk, participant=volunteer, judgements=Judgements(A, TIE))
    other.join()
    assert standing(vote) == ASIDE
    assert n_votes(campaign) == 0


# The ledger


def test_the_ledger_says_who_and_is_of_one_thing(volunteer: Participant, staff: User) -> None:
    battle = ready_battle(volunteer)
    leave_note(battle_id=battle.pk, staff=staff, note=" begiratuta ")
    entry = ModerationEntry.objects.get()
    assert (entry.staff, entry.note, entry.battle) == (staff, "begiratuta", battle)
    broken: list[dict[str, Any]] = [
        {"act": "note", "battle": battle, "note": ""},
        {"act": "hide"},
        {"act": "hide", "battle": battle, "participant": volunteer},
        {"act": "praise", "battle": battle},
    ]
    for fields in broken:
        with pytest.raises(IntegrityError), transaction.atomic():
            ModerationEntry.objects.create(staff=staff, **fields)


def test_an_act_that_fails_leaves_nothing(
    volunteer: Participant, staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    vote = voted(volunteer)

    def breaks(**_: object) -> int:
        raise IntegrityError("scripted")

    monkeypatch.setattr(moderation, "exclude_all", breaks)
    with pytest.raises(IntegrityError):
        ban_participant(participant_id=volunteer.pk, staff=staff)
    volunteer.refresh_from_db()
    assert (volunteer.banned_at, acts(), standing(vote)) == (None, [], COUNTED)


def test_notes_about_somebody_deleted_go_with_them(volunteer: Participant, staff: User) -> None:
    vote = voted(volunteer)
    hide_battle(battle_id=vote.battle_id, staff=staff, note="Ane Goikoa da")
    ban_participant(participant_id=volunteer.pk, staff=staff, note="Ane Goikoa")
    erase_participant(participant_id=volunteer.pk)
    assert acts() == [("hide", "—"), ("ban", "—")]
