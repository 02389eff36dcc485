"""Control pairs: what they are made of, what fails them, and that nobody is told which they are."""

from __future__ import annotations

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
from arena.selectors.judgements import Judgements
from arena.selectors.mine import my_standing
from arena.services.judging import give_pair
from arena.services.votes import cast_vote
from arena.types import Side
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
        assert (told["vote"]["counted"], told["vote"]["credited"]) == (False, None)


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
