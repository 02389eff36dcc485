"""A volunteer reports a battle, staff decide."""

from __future__ import annotations

from itertools import combinations

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from arena.errors import NotVoted, TooManyReports
from arena.models import Battle, Campaign, ModerationEntry, Participant, Report, User
from arena.selectors import takeout
from arena.selectors.judgements import Judgements
from arena.selectors.judging import prompts_to_judge
from arena.selectors.moderation import acts_standing, shown_to_others
from arena.services import boards, report_queue
from arena.services.erasure import erase_participant
from arena.services.judging import give_pair
from arena.services.report_queue import dismiss, report_battle, settle, undo
from arena.services.votes import cast_vote
from arena.types import ModerationAct, ReportReason
from ranking.types import Outcome
from tests.arena.builders import answered_set, begin, finish, make_campaign, make_participant, ready_battle
from tests.arena.test_pages import signed_in

pytestmark = pytest.mark.django_db
UNDONE = {ModerationAct.HIDE: "show", ModerationAct.EXCLUDE: "restore", ModerationAct.BAN: "unban"}
ALL = (ModerationAct.HIDE, ModerationAct.EXCLUDE, ModerationAct.BAN)


@pytest.fixture
def campaign() -> Campaign:
    return make_campaign()


@pytest.fixture
def volunteer(campaign: Campaign) -> Participant:
    return make_participant(campaign)


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_user("begirale", is_staff=True)


def vote_in(battle: Battle) -> None:
    judgements = Judgements(Outcome.A_BETTER, Outcome.TIE)
    cast_vote(battle_id=battle.pk, participant=battle.participant, judgements=judgements)


def reported(battle: Battle, reason: ReportReason = ReportReason.ABUSE, words: str = "") -> Report:
    return report_battle(
        battle_id=battle.pk, participant_id=battle.participant_id, reason=reason, words=words
    )


def address(battle: Battle) -> str:
    return reverse("report_battle", args=[battle.pk])


# Reporting


def test_an_open_report_stands_once_and_keeps_the_battle_from_others(volunteer: Participant) -> None:
    battle = ready_battle(volunteer)
    first = reported(battle, words=" mehatxu bat ")
    assert reported(battle, ReportReason.OTHER) == first
    assert (Report.objects.get().words, Report.objects.get().reason) == ("mehatxu bat", "abuse")
    assert not shown_to_others(Battle.objects.all()).exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        Report.objects.create(battle=battle, participant=volunteer, reason="other")
    with pytest.raises(IntegrityError), transaction.atomic():
        Report.objects.filter(pk=first.pk).update(reason="ugly")


def test_a_battle_is_reported_by_its_volunteer_alone(
    campaign: Campaign, volunteer: Participant, client: Client
) -> None:
    battle, stranger = ready_battle(volunteer), make_participant(campaign)
    with pytest.raises(Battle.DoesNotExist):
        report_battle(battle_id=battle.pk, participant_id=stranger.pk, reason=ReportReason.OTHER)
    for nobody in (Client(), signed_in(client, stranger)):
        assert nobody.get(address(battle)).status_code == 404
        assert nobody.post(address(battle), {"reason": "abuse"}).status_code == 404
    assert not Report.objects.exists()


def test_nobody_floods_the_queue(volunteer: Participant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_queue, "MOST_REPORTS_A_DAY", 1)
    reported(ready_battle(volunteer))
    with pytest.raises(TooManyReports):
        reported(finish(begin(volunteer, text="Agur")))


@pytest.mark.parametrize(
    ("reason", "says"), [("self_harm", "024"), ("illegal", "agintariei"), ("other", "zaharrenetik")]
)
def test_reporting_works_without_scripts_before_the_vote_and_names_nobody(
    volunteer: Participant, client: Client, reason: str, says: str
) -> None:
    battle = ready_battle(volunteer)
    signed_in(client, volunteer)
    assert address(battle) in client.get(reverse("battle", args=[battle.pk])).content.decode()
    form = client.get(address(battle)).content.decode()
    page = client.post(address(battle), {"reason": reason}, follow=True).content.decode()
    assert says in page
    for candidate in (battle.candidate_a, battle.candidate_b):
        assert candidate.name not in form + page


def test_what_was_written_is_kept_where_the_report_is_refused(volunteer: Participant, client: Client) -> None:
    battle = ready_battle(volunteer)
    answer = signed_in(client, volunteer).post(address(battle), {"words": "hau esan nahi nuen"})
    assert answer.status_code == 422
    assert "hau esan nahi nuen" in answer.content.decode()
    assert client.post(address(battle), {"reason": "other", "words": "x" * 1001}).status_code == 422
    assert not Report.objects.exists()


def test_reports_are_in_the_volunteers_file_and_go_with_them(volunteer: Participant, staff: User) -> None:
    battle = ready_battle(volunteer)
    reported(battle, words="Ane naiz")
    dismiss(report_id=Report.objects.get().pk, staff=staff, note="ezer ez")
    told = takeout.battles_after(volunteer, None)[0][1]
    assert told["reports"][0]["words"] == "Ane naiz"
    assert told["moderation"][0]["note"] == "ezer ez"
    erase_participant(participant_id=volunteer.pk)
    assert Report.objects.get().words == "—"


# Deciding


def test_a_decision_is_done_whole_and_closes_the_report(volunteer: Participant, staff: User) -> None:
    battle = ready_battle(volunteer)
    vote_in(battle)
    report = reported(battle)
    assert settle(report_id=report.pk, acts=ALL, staff=staff, note="mehatxua")
    assert not settle(report_id=report.pk, acts=ALL, staff=staff)
    assert not dismiss(report_id=report.pk, staff=staff)
    battle.refresh_from_db()
    assert battle.hidden_at is not None
    assert Participant.objects.get().banned_at is not None
    assert battle.vote.exclusions.get().reason == "moderated"
    done = ModerationEntry.objects.order_by("pk").values_list("act", "note")
    assert list(done) == [(act, "mehatxua") for act in ("hide", "exclude", "ban")]
    assert (Report.objects.get().state, Report.objects.get().staff) == ("settled", staff)


def test_a_decision_that_cannot_be_done_is_not_half_done(volunteer: Participant, staff: User) -> None:
    battle = ready_battle(volunteer)
    report = reported(battle)
    with pytest.raises(NotVoted):
        settle(report_id=report.pk, acts=ALL, staff=staff)
    battle.refresh_from_db()
    assert battle.hidden_at is None
    assert Report.objects.get().state == "open"


def test_staff_decide_in_the_admin_oldest_first_and_the_index_counts(
    volunteer: Participant, admin_client: Client
) -> None:
    battles = [ready_battle(volunteer), finish(begin(volunteer, text="Agur"))]
    first, second = [reported(battle) for battle in battles]
    queue = reverse("admin:arena_report_changelist")
    assert "(2)" in admin_client.get(reverse("admin:index")).content.decode()
    page = admin_client.get(queue).content.decode()
    assert page.index(str(first.pk)) < page.index(str(second.pk))
    change = admin_client.get(reverse("admin:arena_report_change", args=[first.pk]))
    assert "Erantzuna" in change.content.decode()
    decide = reverse("admin:arena_report_decide", args=[first.pk])
    refused = admin_client.post(decide, {"settle": "1", "acts": ["exclude"], "note": "gorde hau"})
    assert refused.status_code == 200
    assert "gorde hau" in refused.content.decode()
    for empty in ("settle", "remark"):
        assert admin_client.post(decide, {empty: "1"}).status_code == 200
    assert admin_client.post(decide, {"remark": "1", "note": "begiratzen"}).status_code == 302
    assert Report.objects.filter(state="open").count() == 2
    assert admin_client.post(decide, {"settle": "1", "acts": ["hide"]}).status_code == 302
    other = reverse("admin:arena_report_decide", args=[second.pk])
    assert admin_client.post(other, {"dismiss": "1"}).status_code == 302
    assert set(Report.objects.values_list("state", flat=True)) == {"settled", "dismissed"}
    assert str(first.pk) not in admin_client.get(queue).content.decode()


def test_staff_who_may_only_look_and_volunteers_decide_nothing(
    volunteer: Participant, client: Client
) -> None:
    report = reported(ready_battle(volunteer))
    decide = reverse("admin:arena_report_decide", args=[report.pk])
    assert signed_in(client, volunteer).post(decide, {"dismiss": "1"}).status_code == 302
    looker = User.objects.create_user("begirale", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_report"))
    client.force_login(looker)
    page = client.get(reverse("admin:arena_report_change", args=[report.pk]))
    assert page.status_code == 200
    assert decide not in page.content.decode()
    assert client.post(decide, {"dismiss": "1"}).status_code == 403
    assert Report.objects.get().state == "open"


# Undoing


def holds(battle: Battle) -> tuple[bool, bool, bool]:
    """Hidden, its vote aside, its volunteer banned."""
    found = Battle.objects.select_related("participant").get(pk=battle.pk)
    return found.hidden_at is not None, not found.vote.counted, found.participant.banned_at is not None


@pytest.mark.parametrize("acts", [each for n in (1, 2, 3) for each in combinations(ALL, n)])
def test_what_was_done_is_undone_act_by_act_and_the_board_follows(
    volunteer: Participant, staff: User, acts: tuple[ModerationAct, ...]
) -> None:
    battle = ready_battle(volunteer)
    vote_in(battle)
    report = reported(battle)
    settle(report_id=report.pk, acts=ALL, staff=staff)
    assert acts_standing(Report.objects.get()) == list(ALL)
    done = undo(report_id=report.pk, acts=acts, staff=staff, note="hanka sartu dugu")
    assert set(done) == set(acts)
    left = [act not in acts for act in ALL]
    hidden, aside, banned = holds(battle)
    assert (hidden, banned) == (left[0], left[2])
    assert aside == (left[1] or left[2]), "the vote of somebody banned stays aside"
    assert boards.rebuild(board=battle.campaign.board, check=True)
    assert undo(report_id=report.pk, acts=acts, staff=staff, note="berriro") == []
    assert undo(report_id=report.pk, acts=ALL, staff=staff, note="dena")[::-1] == [
        act for act in ALL if act not in acts
    ]
    assert holds(battle) == (False, False, False)
    assert set(ModerationEntry.objects.values_list("act", "note").distinct()) >= {
        (UNDONE[act], "hanka sartu dugu") for act in acts
    }
    assert Report.objects.get().state == "settled"


def test_staff_undo_with_a_note_in_the_admin_and_are_offered_what_stands(
    volunteer: Participant, staff: User, admin_client: Client, client: Client
) -> None:
    battle = ready_battle(volunteer)
    vote_in(battle)
    report = reported(battle)
    change = reverse("admin:arena_report_change", args=[report.pk])
    undone = reverse("admin:arena_report_undo", args=[report.pk])
    assert undone not in admin_client.get(change).content.decode()
    settle(report_id=report.pk, acts=[ModerationAct.HIDE, ModerationAct.BAN], staff=staff, note="mehatxua")
    page = admin_client.get(change).content.decode()
    assert undone in page
    assert [f'name="undone" value="{act}"' in page for act in ALL] == [True, False, True]
    for refused in ({"undone": ["hide"]}, {"note": "zergatik"}, {"undone": ["exclude"], "note": "zergatik"}):
        assert admin_client.post(undone, refused).status_code == 200
    assert holds(battle) == (True, True, True)
    assert admin_client.post(undone, {"undone": ["ban"], "note": "ez zen bera"}).status_code == 302
    assert holds(battle) == (True, False, False)
    assert "ez zen bera" in admin_client.get(change).content.decode()
    looker = User.objects.create_user("begiralea", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_report"))
    client.force_login(looker)
    assert undone not in client.get(change).content.decode()
    assert client.post(undone, {"undone": ["hide"], "note": "nik"}).status_code == 403


def test_a_hidden_prompt_is_shown_again(campaign: Campaign, volunteer: Participant, staff: User) -> None:
    answered_set(campaign, "Zer da Korrika?")
    pair = give_pair(participant_id=volunteer.pk, campaign=campaign)
    report = reported(pair)
    settle(report_id=report.pk, acts=ALL, staff=staff)
    assert not prompts_to_judge(make_participant(campaign), campaign).exists()
    assert undo(report_id=report.pk, acts=ALL, staff=staff, note="ondo dago") == [ModerationAct.HIDE]
    assert prompts_to_judge(make_participant(campaign), campaign).exists()
