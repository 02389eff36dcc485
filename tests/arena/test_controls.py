"""Control pairs: what they are made of, what fails them, and that nobody is told which they are."""

from __future__ import annotations

import json

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from arena.controls import FEWEST_WORDS, ControlKind, corrupted, is_failed
from arena.models import Answer, Battle, Campaign, Control, Participant, Vote
from arena.numbers.material import Votes, material_of
from arena.numbers.quality import shown_again
from arena.selectors import takeout
from arena.selectors.controls import control_rates
from arena.selectors.feedback import feedback_view
from arena.selectors.judgements import Judgements
from arena.selectors.mine import my_standing
from arena.services.exclusions import lift
from arena.services.feedback import Said, add_feedback
from arena.services.judging import give_pair
from arena.services.votes import cast_vote
from arena.types import FeedbackKind, Side
from inference.models import Candidate
from ranking.filters import ExclusionReason
from ranking.types import Criterion, Outcome
from tests.arena.builders import a_day_passes, begin, complete, finish, make_campaign, make_participant
from tests.arena.test_pages import signed_in

A, B, TIE, BAD = Outcome.A_BETTER, Outcome.B_BETTER, Outcome.TIE, Outcome.BOTH_BAD
TEXT = "Korrika euskararen aldeko lasterketa bat da, eta bi urtean behin egiten da. Herri guztiek hartzen dute parte gau eta egun!"
words = st.text("abkltz", min_size=1, max_size=6)


@given(st.lists(words, min_size=FEWEST_WORDS, max_size=40), st.integers(0, 2**63 - 1))
def test_disorder_keeps_the_words_and_repeats_itself(said: list[str], seed: int) -> None:
    text = " ".join(said) + "."
    mixed = corrupted(text, seed)
    assert mixed == corrupted(text, seed)
    if mixed is not None:
        assert mixed.split() != text.split()
        assert sorted(mixed.replace(".", "").split()) == sorted(said)


def test_disorder_stays_within_sentences() -> None:
    mixed = corrupted(TEXT, 7)
    assert mixed is not None
    assert mixed.count(".") == mixed.count("!") == 1
    first = TEXT.split(".", maxsplit=1)[0].split()
    assert sorted(mixed.split(".")[0].split()) == sorted(first)


def test_signs_stay_where_they_are() -> None:
    mixed = corrupted("- Lehen **puntua** hemen dago eta bigarren puntua - han dago orain", 3)
    assert mixed is not None
    words = mixed.split(" ")
    assert (words[0], words[2], words[8]) == ("-", "**puntua**", "-")


@pytest.mark.parametrize("text", ["", "Bai.", "Ez dakit zer esan.", "bat " * 40])
def test_what_is_too_short_is_no_material(text: str) -> None:
    assert corrupted(text, 1) is None


@pytest.mark.parametrize(
    ("kind", "worse", "failing"),
    [
        (ControlKind.IDENTICAL, None, {A, B}),
        (ControlKind.CORRUPTED, Side.A, {A}),
        (ControlKind.KNOWN_BAD, Side.B, {B}),
    ],
)
def test_only_preferring_what_is_no_better_fails(
    kind: ControlKind, worse: Side | None, failing: set[Outcome]
) -> None:
    assert {outcome for outcome in Outcome if is_failed(kind, worse, outcome)} == failing


# on the database


@pytest.fixture
def campaign(db: None) -> Campaign:
    campaign = make_campaign(candidates=2)
    Campaign.objects.update(control_rate=0.5)
    return Campaign.objects.get(pk=campaign.pk)


@pytest.fixture
def judge(campaign: Campaign) -> Participant:
    return make_participant(campaign)


def vote_on(battle: Battle, outcome: Outcome) -> Vote:
    judged = Judgements(outcome, outcome if outcome in {A, B} else TIE)
    return cast_vote(battle_id=battle.pk, participant=battle.participant, judgements=judged)


def controls_of(judge: Participant, campaign: Campaign, kind: ControlKind, *, bad: bool = False) -> Battle:
    """A pair of this kind; others are judged a tie on the way."""
    for n in range(200):
        writer = make_participant(campaign)
        battle = finish(
            begin(writer, text=f"Zer da Korrika {n}?"), complete(Side.A, TEXT), complete(Side.B, TEXT.upper())
        )
        vote_on(battle, TIE)
        if bad and n == 0:
            campaign.known_bad.set([battle.candidate_a])
        pair = give_pair(participant_id=judge.pk, campaign=campaign)
        if Control.objects.filter(battle=pair, kind=kind.value).exists():
            return pair
        vote_on(pair, TIE)
    raise AssertionError(f"no control of kind {kind} in 200 pairs at every second one")


def texts(battle: Battle) -> dict[str, str]:
    return dict(Answer.objects.filter(turn__battle=battle).values_list("side", "text"))


@pytest.mark.parametrize("kind", list(ControlKind))
def test_whoever_fails_one_gets_no_credit_and_whoever_does_not_does(
    campaign: Campaign, judge: Participant, kind: ControlKind
) -> None:
    pair = controls_of(judge, campaign, kind, bad=kind is ControlKind.KNOWN_BAD)
    told = Control.objects.get(battle=pair).worse
    worse = Side(told) if told else None
    said = texts(pair)
    if kind is ControlKind.IDENTICAL:
        assert said["A"] == said["B"]
    elif kind is ControlKind.CORRUPTED:
        assert worse is not None
        assert said[worse] != said[worse.other] in {TEXT, TEXT.upper()}
    else:
        assert worse is not None
        bad = pair.candidate_a if worse is Side.A else pair.candidate_b
        assert campaign.known_bad.get() == bad
    vote = vote_on(pair, B if worse is Side.B else A)
    assert {each.reason for each in vote.exclusions.all()} == {"failed_control", "rejudged"}
    assert (vote.counted, vote.credited) == (False, False)
    assert all(each.credited for each in Vote.objects.filter(participant=judge).exclude(pk=vote.pk))


@pytest.mark.parametrize("is_preferred", [True, False])
def test_an_answer_that_its_own_volunteer_preferred_is_not_taken_for_the_known_bad_one(
    campaign: Campaign, judge: Participant, is_preferred: bool
) -> None:
    bad = Candidate.objects.all()[0]
    campaign.known_bad.set([bad])
    for n in range(200):
        turn = begin(make_participant(campaign), text=f"Zer da Korrika {n}?")
        battle = finish(turn, complete(Side.A, TEXT), complete(Side.B, TEXT))
        vote_on(battle, A if (battle.candidate_a == bad) is is_preferred else B)
        vote_on(give_pair(participant_id=judge.pk, campaign=campaign), TIE)
        if Control.objects.exists():
            break
    assert (Control.objects.get().kind == ControlKind.KNOWN_BAD) is not is_preferred


def test_nobody_is_told_which_pairs_were_controls(
    client: Client, campaign: Campaign, judge: Participant
) -> None:
    pair = controls_of(judge, campaign, ControlKind.IDENTICAL)
    vote_on(pair, A)
    page = signed_in(client, judge).get(reverse("battle", args=[pair.pk])).content.decode()
    assert "kontrol" not in page.lower()
    a_day_passes()
    for _key, told in takeout.battles_after(judge, None):
        assert told["source"] == "rejudged"
        assert told["vote"]["not_counted_because"] == ["rejudged"]
        assert told["vote"]["counted"] is False
        assert "credited" not in told["vote"]


def test_a_control_is_marked_and_taken_out_like_any_pair_and_marks_are_their_writers_alone(
    client: Client, campaign: Campaign, judge: Participant
) -> None:
    pair = controls_of(judge, campaign, ControlKind.CORRUPTED)
    vote_on(pair, A)
    vote_on(controls_of(judge, campaign, ControlKind.IDENTICAL), TIE)
    a_day_passes()
    for each in Battle.objects.filter(participant=judge):
        answer = Answer.objects.filter(turn__battle=each).earliest("side")
        said = Said(answer.pk, 0, 2, FeedbackKind.GRAMMAR, comment="Marka hau nirea da")
        add_feedback(battle_id=each.pk, participant_id=judge.pk, said=said)
    told = [battle for _key, battle in takeout.battles_after(judge, None)]
    shape = {str(keys(each)) for each in told}
    assert (len(told) > 1, len(shape)) == (True, 1), "none stands out"
    origin = pair.origin
    assert origin is not None
    assert feedback_view(pair).marked
    assert not feedback_view(origin).marked
    page = signed_in(client, origin.participant).get(reverse("battle", args=[origin.pk]))
    assert "Marka hau nirea da" not in page.content.decode()
    [*_, (_key, theirs)] = takeout.battles_after(origin.participant, None)
    assert "Marka hau nirea da" not in json.dumps(theirs)


def keys(told: object) -> object:
    """The shape of a file: its keys, and how many things its lists hold."""
    if isinstance(told, dict):
        return {key: keys(value) for key, value in told.items()}
    return [keys(each) for each in told] if isinstance(told, list) else told is None


def test_controls_say_nothing_of_models_nor_of_agreement(campaign: Campaign, judge: Participant) -> None:
    pair = controls_of(judge, campaign, ControlKind.IDENTICAL)
    before = shown_again(_votes(campaign), Criterion.OVERALL)
    vote_on(pair, TIE)
    material = _votes(campaign)
    now = shown_again(material, Criterion.OVERALL)
    assert (now.n_items, now.n_judgements) == (before.n_items, before.n_judgements)
    assert material.table.n_votes == Vote.objects.filter(battle__control__isnull=True).count()
    standing = my_standing(judge, campaign)
    assert standing.votes == Vote.objects.filter(participant=judge).count(), "also a control is a vote"
    assert standing.agreement.votes == 0


def _votes(campaign: Campaign) -> Votes:
    material = material_of(campaign.board)
    assert isinstance(material, Votes)
    return material


def test_staff_see_how_controls_go_by_campaign_and_kind(
    campaign: Campaign, judge: Participant, admin_client: Client
) -> None:
    vote_on(controls_of(judge, campaign, ControlKind.IDENTICAL), A)
    vote_on(controls_of(judge, campaign, ControlKind.IDENTICAL), TIE)
    controls_of(judge, campaign, ControlKind.IDENTICAL)
    [same] = [rate for rate in control_rates() if rate.kind == ControlKind.IDENTICAL]
    assert same.campaign == campaign.name
    assert (same.given - same.judged, same.failed) == (1, 1)
    assert same.percent == pytest.approx(100 / same.judged)
    assert sum(rate.given for rate in control_rates()) == Control.objects.count()
    page = admin_client.get(reverse("admin:arena_control_changelist")).content.decode()
    assert f"<td>{same.given}</td><td>{same.judged}</td><td>1 (" in page
    assert page.count('alt="True"') == Control.objects.filter(battle__status="voted").count() + 1
    assert admin_client.get(reverse("admin:arena_control_add")).status_code == 403
    lifted = Vote.objects.get(exclusions__reason=ExclusionReason.FAILED_CONTROL.value)
    lift(vote_id=lifted.pk, reason=ExclusionReason.FAILED_CONTROL)
    assert not any(rate.failed for rate in control_rates())


def test_nobody_but_staff_sees_the_controls(client: Client, campaign: Campaign, judge: Participant) -> None:
    answer = signed_in(client, judge).get(reverse("admin:arena_control_changelist"))
    assert answer.status_code == 302


def test_none_come_where_the_campaign_wants_none(campaign: Campaign, judge: Participant) -> None:
    Campaign.objects.update(control_rate=0)
    campaign.refresh_from_db()
    for n in range(8):
        battle = finish(begin(make_participant(campaign), text=f"Kaixo {n}"))
        vote_on(battle, TIE)
        vote_on(give_pair(participant_id=judge.pk, campaign=campaign), TIE)
    assert not Control.objects.exists()


def test_the_database_knows_kinds_and_rates(campaign: Campaign, judge: Participant) -> None:
    pair = controls_of(judge, campaign, ControlKind.IDENTICAL)
    for change in ({"worse": "A"}, {"kind": "corrupted"}, {"kind": "beste"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Control.objects.filter(battle=pair).update(**change)
    for rate in (-0.1, 0.6):
        with pytest.raises(IntegrityError), transaction.atomic():
            Campaign.objects.update(control_rate=rate)
