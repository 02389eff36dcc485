"""Sentences marked after the vote."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from arena.errors import NoSuchPassage, TooManyPassages
from arena.models import Answer, Battle, Campaign, Participant, SpanFeedback
from arena.selectors import takeout
from arena.selectors.feedback import feedback_view
from arena.selectors.judgements import Judgements
from arena.services import feedback
from arena.services.erasure import erase_participant
from arena.services.feedback import Said, add_feedback, delete_feedback, replace_feedback
from arena.services.votes import cast_vote
from arena.types import FeedbackKind, Side
from ranking.types import Outcome
from tests.arena.builders import begin, complete, finish, make_campaign, make_participant
from tests.arena.test_pages import signed_in

pytestmark = pytest.mark.django_db
TEXT = "Lehenengo esaldia. Bigarrena hemen dago!"


@pytest.fixture
def campaign() -> Campaign:
    return make_campaign()


@pytest.fixture
def volunteer(campaign: Campaign) -> Participant:
    return make_participant(campaign)


@pytest.fixture
def unvoted(volunteer: Participant) -> Battle:
    return finish(begin(volunteer), complete(Side.A, TEXT), complete(Side.B, TEXT))


@pytest.fixture
def battle(unvoted: Battle) -> Battle:
    judgements = Judgements(Outcome.A_BETTER, Outcome.TIE)
    cast_vote(battle_id=unvoted.pk, participant=unvoted.participant, judgements=judgements)
    unvoted.refresh_from_db()
    return unvoted


def answer_of(battle: Battle) -> Answer:
    return Answer.objects.get(turn__battle=battle, side="A")


def said(battle: Battle, kind: FeedbackKind = FeedbackKind.CALQUE, **words: str) -> Said:
    return Said(answer_of(battle).pk, 0, 18, kind, **words)


def add(battle: Battle, what: Said) -> SpanFeedback:
    return add_feedback(battle_id=battle.pk, participant_id=battle.participant_id, said=what)


def form(battle: Battle, **fields: str) -> dict[str, str]:
    return {"span": f"{answer_of(battle).pk}:0:18", "kind": "grammar", **fields}


def address(battle: Battle) -> str:
    return reverse("feedback", args=[battle.pk])


# Keeping, changing, taking back


def test_a_sentence_is_marked_changed_and_taken_back(battle: Battle) -> None:
    own = add(battle, said(battle, comment=" ez da euskaraz esaten ", rewrite="Aurreneko esaldia."))
    assert feedback_view(battle).marked[0].text == "Lehenengo esaldia."
    assert (own.comment, own.rewrite) == ("ez da euskaraz esaten", "Aurreneko esaldia.")
    whose = {"feedback_id": own.pk, "battle_id": battle.pk, "participant_id": battle.participant_id}
    other = Said(answer_of(battle).pk, 19, len(TEXT), FeedbackKind.FACTUAL)
    replace_feedback(said=other, **whose)
    assert [(each.text, each.kind) for each in feedback_view(battle).marked] == [
        ("Bigarrena hemen dago!", "factual")
    ]
    delete_feedback(**whose)
    assert not SpanFeedback.objects.exists()


@pytest.mark.parametrize("span", [(0, 0), (5, 4), (0, len(TEXT) + 1), (-1, 3)])
def test_only_passages_that_are_there_are_marked(battle: Battle, span: tuple[int, int]) -> None:
    with pytest.raises(NoSuchPassage):
        add(battle, Said(answer_of(battle).pk, *span, FeedbackKind.GRAMMAR))


def test_nothing_is_marked_before_the_vote_or_in_the_battles_of_others(
    campaign: Campaign, unvoted: Battle, client: Client
) -> None:
    with pytest.raises(NoSuchPassage):
        add(unvoted, said(unvoted))
    signed_in(client, unvoted.participant)
    assert client.get(address(unvoted)).status_code == 404
    assert client.post(address(unvoted), form(unvoted)).status_code == 404
    cast_vote(
        battle_id=unvoted.pk,
        participant=unvoted.participant,
        judgements=Judgements(Outcome.TIE, Outcome.TIE),
    )
    stranger = make_participant(campaign)
    with pytest.raises(NoSuchPassage):
        add_feedback(battle_id=unvoted.pk, participant_id=stranger.pk, said=said(unvoted))
    own = add(unvoted, said(unvoted))
    one = reverse("feedback_one", args=[unvoted.pk, own.pk])
    delete = reverse("delete_feedback", args=[unvoted.pk, own.pk])
    for nobody in (Client(), signed_in(Client(), stranger)):
        assert nobody.get(address(unvoted)).status_code == 404
        for page in (address(unvoted), one, delete):
            assert nobody.post(page, form(unvoted)).status_code == 404
    assert SpanFeedback.objects.count() == 1


def test_what_belongs_to_another_battle_cannot_be_reached_through_ones_own(
    volunteer: Participant, battle: Battle, client: Client
) -> None:
    other = finish(begin(volunteer, text="Agur"))
    signed_in(client, volunteer)
    assert client.post(address(battle), form(other)).status_code == 422
    assert client.get(reverse("feedback_one", args=[battle.pk, uuid4()])).status_code == 404


def test_there_is_an_end_to_marking(battle: Battle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback, "MOST_OF_A_BATTLE", 1)
    add(battle, said(battle))
    with pytest.raises(TooManyPassages):
        add(battle, said(battle))


def test_the_database_keeps_marks_whole(battle: Battle) -> None:
    whole = {"answer": answer_of(battle), "participant": battle.participant, "start": 0, "end": 2}
    for broken in ({"kind": "ugly"}, {"kind": "grammar", "end": 0}, {"kind": "other"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            SpanFeedback.objects.create(**(whole | broken))


# The page


def test_it_works_without_scripts(battle: Battle, client: Client) -> None:
    signed_in(client, battle.participant)
    page = client.get(reverse("battle", args=[battle.pk])).content.decode()
    assert "Bigarrena hemen dago!</span></label>" in page
    answer = client.post(address(battle), form(battle, rewrite="Aurrenekoa."))
    assert answer.status_code == 302
    assert "Aurrenekoa." in client.get(answer.headers["Location"]).content.decode()
    own = SpanFeedback.objects.get()
    one = reverse("feedback_one", args=[battle.pk, own.pk])
    assert "Aurrenekoa." in client.get(one).content.decode()
    assert client.post(one, form(battle, kind="factual")).status_code == 302
    own.refresh_from_db()
    assert (own.kind, own.rewrite) == ("factual", "")
    client.post(reverse("delete_feedback", args=[battle.pk, own.pk]))
    assert not SpanFeedback.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [{"span": ""}, {"span": f"{UUID(int=1)}:0:4"}, {"kind": "other", "rewrite": ""}, {"comment": "x" * 1001}],
)
@pytest.mark.parametrize("headers", [{}, {"X-Requested-With": "fetch"}])
def test_what_was_written_comes_back_where_it_cannot_be_kept(
    battle: Battle, client: Client, wrong: dict[str, str], headers: dict[str, str]
) -> None:
    fields = form(battle, rewrite="Berridatzia", comment="Hau ez galdu") | wrong
    if wrong.get("kind") == "other":
        fields |= {"comment": ""}
    answer = signed_in(client, battle.participant).post(address(battle), fields, headers=headers)
    assert answer.status_code == 422
    page = answer.content.decode()
    for kept in (fields["rewrite"], fields["comment"][:1000]):
        assert kept in page
    assert not SpanFeedback.objects.exists()


def test_marks_are_in_the_volunteers_file_and_their_words_go_with_them(battle: Battle) -> None:
    add(battle, said(battle, comment="Ane naiz", rewrite="Ane izena dut"))
    told = takeout.battles_after(battle.participant, None)[0][1]["turns"][0]["answers"]["A"]["marked"]
    assert [(each["start"], each["end"], each["comment"]) for each in told] == [(0, 18, "Ane naiz")]
    erase_participant(participant_id=battle.participant_id)
    own = SpanFeedback.objects.get()
    assert (own.comment, own.rewrite) == ("—", "—")
