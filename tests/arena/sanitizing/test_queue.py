"""What is doubtful in ended battles: queued once, decided by staff, gone with its text."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from arena import tasks
from arena.models import Answer, Battle, Doubt, Participant, Turn, User
from arena.sanitizing import RULES, Decided, Decision, Kind, sanitized
from arena.selectors.doubts import decisions, open_doubts
from arena.services import doubts
from arena.services.doubts import decide, scan_ended
from arena.services.erasure import erase_participant
from arena.types import BattleStatus, Side
from tests.arena.builders import begin, complete, finish, make_campaign, make_participant

pytestmark = pytest.mark.django_db
MESSAGE = "Zer da 612 345 678?"
ANSWER = "Hor dabil @leire, eta ane@example.com ere bai."


@pytest.fixture
def volunteer() -> Participant:
    return make_participant(make_campaign())


@pytest.fixture
def staff() -> User:
    return User.objects.create_user("arduraduna", is_staff=True)


def ended(volunteer: Participant, message: str = MESSAGE, answer: str = ANSWER) -> Battle:
    battle = finish(begin(volunteer, text=message), complete(Side.A, answer), complete(Side.B, "Ez dakit."))
    Battle.objects.filter(pk=battle.pk).update(status=BattleStatus.VOTED.value)
    return battle


def passed_on(battle: Battle) -> list[str]:
    """The battle's texts as an export would have them."""
    said = decisions([battle.pk])
    turn = battle.turns.get()
    texts = [(turn.pk, turn.text), *turn.answers.order_by("side").values_list("pk", "text")]
    return [sanitized(text, said.get(key, ())) for key, text in texts]


def test_doubtful_passages_of_ended_battles_are_queued_and_certain_ones_are_not(
    volunteer: Participant,
) -> None:
    battle = ended(volunteer)
    assert tasks.scan_ended_battles() == 1
    of_message, of_answer = Doubt.objects.order_by("kind").reverse()
    assert (of_message.kind, of_message.answer, of_message.text) == ("phone", None, MESSAGE)
    assert MESSAGE[of_message.start : of_message.end] == "612 345 678"
    assert of_answer.answer == Answer.objects.get(side="A")
    assert ANSWER[of_answer.start : of_answer.end] == "@leire"
    assert {each.decision for each in (of_message, of_answer)} == {"open"}
    assert open_doubts() == 2
    assert passed_on(battle)[0] == "Zer da [PHONE]?"


@pytest.mark.parametrize("status", [BattleStatus.OPEN, BattleStatus.ANSWERING, BattleStatus.READY])
def test_a_battle_that_goes_on_waits(volunteer: Participant, status: BattleStatus) -> None:
    battle = ended(volunteer)
    Battle.objects.filter(pk=battle.pk).update(status=status.value)
    assert scan_ended() == 0
    Battle.objects.filter(pk=battle.pk).update(status=BattleStatus.ABANDONED.value)
    assert scan_ended() == 1


def test_a_battle_is_read_once_and_again_by_new_rules_which_leave_decisions_alone(
    volunteer: Participant, staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended(volunteer)
    assert (scan_ended(), scan_ended()) == (1, 0)
    decide(doubt_id=Doubt.objects.get(kind="phone").pk, decision=Decision.KEEP, staff=staff)
    before = {*Doubt.objects.values_list("turn", "answer", "start", "end", "decision")}
    monkeypatch.setattr(doubts, "RULES", RULES + 1)
    assert scan_ended() == 1
    assert {*Doubt.objects.values_list("turn", "answer", "start", "end", "decision")} == before
    monkeypatch.setattr(doubts, "RULES", RULES + 2)
    monkeypatch.setattr(doubts, "find", lambda text: ())
    assert scan_ended() == 1
    assert [each.kind for each in Doubt.objects.all()] == ["phone"], (
        "the open one that no rule finds any more is gone"
    )


def test_no_more_are_read_at_once_than_asked_and_the_oldest_comes_first(volunteer: Participant) -> None:
    battles = [ended(volunteer) for _ in range(3)]
    assert scan_ended(at_most=2) == 2
    unread = Battle.objects.get(rules_read=0)
    assert unread == battles[-1]
    assert scan_ended() == 1


def test_kept_passages_stay_in_what_is_passed_on_and_redacted_ones_do_not(
    volunteer: Participant, staff: User
) -> None:
    battle = ended(volunteer)
    scan_ended()
    phone, handle = Doubt.objects.get(kind="phone"), Doubt.objects.get(kind="handle")
    decide(doubt_id=phone.pk, decision=Decision.KEEP, staff=staff)
    decide(doubt_id=handle.pk, decision=Decision.REDACT, staff=staff)
    assert passed_on(battle) == [MESSAGE, "Hor dabil [HANDLE], eta [EMAIL] ere bai.", "Ez dakit."]
    phone.refresh_from_db()
    assert (phone.decision, phone.staff) == ("keep", staff)
    assert phone.decided_at is not None
    decide(doubt_id=phone.pk, decision=Decision.REDACT, staff=staff)
    assert passed_on(battle)[0] == "Zer da [PHONE]?"


def test_what_is_decided_holds_wherever_the_same_text_stands_before_and_after(
    volunteer: Participant, staff: User
) -> None:
    first, same, other = ended(volunteer), ended(volunteer), ended(volunteer, "Zer da 612 345 679?")
    scan_ended()
    said = decide(doubt_id=Doubt.objects.filter(kind="phone")[0].pk, decision=Decision.KEEP, staff=staff)
    later = ended(volunteer)
    scan_ended()
    assert said == 2
    assert [passed_on(each)[0] for each in (first, same, later)] == [MESSAGE] * 3
    assert passed_on(other)[0] == "Zer da [PHONE]?"
    taken_over = Doubt.objects.get(turn__battle=later, kind="phone")
    assert (taken_over.decision, taken_over.staff) == ("keep", staff)


def test_decisions_of_many_battles_take_one_query(volunteer: Participant, staff: User) -> None:
    battles = [ended(volunteer, f"Zer da 612 345 67{digit}?") for digit in range(4)]
    scan_ended()
    for each in Doubt.objects.filter(kind="phone"):
        decide(doubt_id=each.pk, decision=Decision.KEEP, staff=staff)
    with CaptureQueriesContext(connection) as asked:
        said = decisions([each.pk for each in battles])
    assert len(asked) == 1
    assert said == {
        turn.pk: (Decided(Kind.PHONE, 7, 18, Decision.KEEP),)
        for turn in Turn.objects.filter(battle__in=battles)
    }


def test_who_is_erased_leaves_nothing_in_the_queue_and_what_stands_in_the_texts_place_is_whole(
    volunteer: Participant, staff: User
) -> None:
    battle = ended(volunteer)
    scan_ended()
    decide(doubt_id=Doubt.objects.get(kind="phone").pk, decision=Decision.REDACT, staff=staff)
    erase_participant(participant_id=volunteer.pk)
    assert not Doubt.objects.exists()
    assert passed_on(battle) == ["—", "—", "—"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "name"},
        {"decision": "maybe"},
        {"end": 7},
        {"decision": "keep"},
        {"decided_at": timezone.now()},
    ],
)
def test_the_database_refuses_a_doubt_that_makes_no_sense(
    volunteer: Participant, wrong: dict[str, object]
) -> None:
    ended(volunteer)
    scan_ended()
    doubt = Doubt.objects.filter(kind="phone", start=7)
    assert doubt.exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        doubt.update(**wrong)


def test_a_passage_is_queued_once(volunteer: Participant) -> None:
    ended(volunteer)
    scan_ended()
    doubt = Doubt.objects.get(kind="phone")
    with pytest.raises(IntegrityError), transaction.atomic():
        Doubt.objects.create(turn=doubt.turn, kind="phone", start=doubt.start, end=doubt.end)


URL = "admin:arena_doubt_changelist"


def test_staff_see_the_passage_among_its_words_and_decide(
    admin_client: Client, volunteer: Participant
) -> None:
    battle = ended(volunteer, MESSAGE + " <b>Kaixo</b>")
    scan_ended()
    page = admin_client.get(reverse(URL)).content.decode()
    assert "Zer da <mark>612 345 678</mark>? &lt;b&gt;Kaixo&lt;/b&gt;" in page
    chosen = [str(each) for each in Doubt.objects.values_list("pk", flat=True)]
    admin_client.post(reverse(URL), {"action": "keep", "_selected_action": chosen})
    assert {*Doubt.objects.values_list("decision", flat=True)} == {"keep"}
    assert {each.staff and each.staff.username for each in Doubt.objects.all()} == {"admin"}
    assert "612 345 678" in passed_on(battle)[0]
    assert "<mark>" not in admin_client.get(reverse(URL)).content.decode(), (
        "decided ones are no more in the queue"
    )
    assert "<mark>" in admin_client.get(reverse(URL), {"decision": "keep"}).content.decode()
    admin_client.post(reverse(URL) + "?decision=all", {"action": "redact", "_selected_action": chosen})
    assert {*Doubt.objects.values_list("decision", flat=True)} == {"redact"}


def test_who_may_only_look_cannot_decide(client: Client, volunteer: Participant, staff: User) -> None:
    ended(volunteer)
    scan_ended()
    staff.user_permissions.add(Permission.objects.get(codename="view_doubt"))
    client.force_login(staff)
    page = client.get(reverse(URL))
    assert page.status_code == 200
    assert 'value="keep"' not in page.content.decode()
    chosen = [str(each) for each in Doubt.objects.values_list("pk", flat=True)]
    client.post(reverse(URL), {"action": "keep", "_selected_action": chosen})
    assert {*Doubt.objects.values_list("decision", flat=True)} == {"open"}
    one = reverse("admin:arena_doubt_change", args=[chosen[0]])
    client.post(one, {"decision": "keep"})
    assert {*Doubt.objects.values_list("decision", flat=True)} == {"open"}
