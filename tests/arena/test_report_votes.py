"""What the pages on quality, filters, slices and style say of votes that were really cast."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from django.db.models import Q
from django.test import Client
from django.urls import reverse
from pytest_django.plugin import DjangoDbBlocker

from arena.models import Battle, Campaign, Participant, Vote
from arena.numbers.material import Votes, material_of
from arena.numbers.slices import WAYS
from arena.reports import filters, quality, slices, style
from arena.reports.base import Report
from arena.selectors.covariates import styled_votes
from arena.selectors.judgements import Judgements
from arena.services import boards
from arena.services.exclusions import exclude
from arena.services.votes import cast_vote
from arena.types import ExclusionSource, Side
from inference.models import Candidate
from ranking.filters import ExclusionReason
from ranking.tables import Value
from ranking.types import Criterion, Outcome
from tests.arena.boards import published_source
from tests.arena.builders import begin, complete, finish, make_campaign, make_participant
from tests.worlds import made_once

pytestmark = pytest.mark.django_db
A, B, TIE = Outcome.A_BETTER, Outcome.B_BETTER, Outcome.TIE


def rows(report: Report, table: str) -> list[dict[str, Value]]:
    return next(section.table.as_json() for section in report.sections if section.table.name == table)


def answered(
    volunteer: Participant, text: str, *, a: str = "Bai", b: str = "Ez", messages: int = 1
) -> Battle:
    battle = finish(begin(volunteer, text=text), complete(Side.A, a), complete(Side.B, b))
    for number in range(1, messages):
        battle = finish(begin(volunteer, battle, f"Eta {number}?"), complete(Side.A, a), complete(Side.B, b))
    return battle


def judged(battle: Battle, outcome: Outcome) -> Vote:
    return cast_vote(battle_id=battle.pk, participant=battle.participant, judgements=Judgements(outcome, TIE))


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Campaign]:
    with made_once(django_db_blocker, voted_campaign) as made:
        yield made


@pytest.fixture
def campaign(world: Campaign) -> Campaign:
    return Campaign.objects.select_related("board").get(pk=world.pk)


def voted_campaign() -> Campaign:
    """Two candidates and eight volunteers of five votes each, to either side."""
    campaign = make_campaign(candidates=2)
    for person in range(8):
        volunteer = make_participant(campaign)
        volunteer.language_level = "C1-C2" if person < 6 else "B1-B2"
        volunteer.save()
        for number in range(5):
            winner = (A, B, A, B, TIE)[(person + number) % 5]
            longer, shorter = "Luze " * 30, "Bai"
            long_a = (number + person) % 3 > 0
            battle = answered(
                volunteer,
                f"Galdera {number}" + "!" * number * 9,
                a=longer if long_a else shorter,
                b=shorter if long_a else longer,
                messages=1 + number % 2,
            )
            judged(battle, winner)
    return campaign


def test_what_does_not_count_is_told_and_adds_up(campaign: Campaign) -> None:
    votes = list(Vote.objects.order_by("created_at"))
    exclude(vote_id=votes[0].pk, reason=ExclusionReason.RATE, source=ExclusionSource.STAFF)
    exclude(vote_id=votes[1].pk, reason=ExclusionReason.RATE, source=ExclusionSource.STAFF)
    exclude(vote_id=votes[1].pk, reason=ExclusionReason.GUEST, source=ExclusionSource.STAFF)
    report = quality.build(published_source(campaign.board))
    totals = {row["kind"]: row["votes"] for row in rows(report, "totals")}
    assert totals == {"all": 40, "counted": 38, "one_reason": 1, "several_reasons": 1}
    told = {row["reason"]: (row["votes"], row["only"]) for row in rows(report, "exclusions")}
    assert (told["rate"], told["guest"], told["too_fast"]) == ((2, 1), (1, 0), (0, 0))
    shares = rows(report, "outcomes")
    assert sum(float(row["share"] or 0) for row in shares) == pytest.approx(1)
    assert rows(report, "position")[0]["low"] is not None


def votes_of(campaign: Campaign) -> Votes:
    material = material_of(campaign.board)
    assert isinstance(material, Votes)
    return material


def test_a_filter_says_what_it_admits_and_by_how_much_it_moves_the_board(campaign: Campaign) -> None:
    favourite = Candidate.objects.order_by("code")[0]
    for_it = Q(winner="a_better", battle__candidate_a=favourite) | Q(
        winner="b_better", battle__candidate_b=favourite
    )
    for vote in Vote.objects.filter(for_it)[:6]:
        exclude(vote_id=vote.pk, reason=ExclusionReason.GUEST, source=ExclusionSource.STAFF)
    board = campaign.board
    cited = filters.build(published_source(board))
    admitting = filters.build(published_source(board, guest="on"))
    assert {row["difference"] for row in rows(cited, "board")} == {0.0}
    assert any(row["difference"] for row in rows(admitting, "board"))
    told = {row["reason"]: row for row in rows(admitting, "reasons")}
    assert (told["guest"]["excludes"], told["guest"]["admitted"]) == (False, 6)
    assert sum(int(row["battles"] or 0) for row in rows(admitting, "board")) == 2 * 40
    assert sum(int(row["battles"] or 0) for row in rows(cited, "board")) == 2 * 34
    written = getattr(admitting, "written")  # noqa: B009  # a report that fills its form again
    cited_so = filters.build(published_source(board, exclude=written))
    assert rows(cited_so, "board") == rows(admitting, "board")
    assert filters.build(published_source(board, exclude="whim")).reason


def test_a_filters_page_keeps_what_was_asked_in_its_downloads(campaign: Campaign, client: Client) -> None:
    boards.publish(campaign.board)
    address = reverse("report", args=[campaign.board.slug, "filters"])
    text = client.get(address, {"guest": "on", "criterion": "content"}).content.decode()
    assert "criterion=content&amp;guest=on&amp;format=csv" in text
    assert client.get(address, {"exclude": "whim"}).status_code == 200


def test_a_slice_of_fewer_than_five_volunteers_says_nothing(campaign: Campaign) -> None:
    report = slices.build(published_source(campaign.board))
    told = {row["slice"]: row for row in rows(report, "slices")}
    assert told["C1-C2"]["users"] == 6
    assert (told["B1-B2"]["status"], told["B1-B2"]["users"], told["B1-B2"]["votes"]) == (
        "suppressed",
        None,
        None,
    )


@pytest.mark.parametrize(("by", "names"), [("turns", {"1", "2", "3+"}), ("length", None), ("week", None)])
def test_votes_are_sliced_by_what_was_asked(campaign: Campaign, by: str, names: set[str] | None) -> None:
    report = slices.build(published_source(campaign.board, by=by))
    told = rows(report, "slices")
    assert sum(int(row["votes"] or 0) for row in told) == 40
    assert names is None or {row["slice"] for row in told} == names
    assert slices.build(published_source(campaign.board, by="shoe")).reason


def test_votes_are_sliced_by_the_check_of_their_day_whatever_it_asked(campaign: Campaign) -> None:
    results = [(0, 10), (9, 20), (4, 10), (5, 10), (15, 20), (3, 4), (8, 10), (10, 10)]
    people = Participant.objects.filter(votes__isnull=False).distinct().order_by("created_at")
    for person, (right, asked) in zip(people, results, strict=True):
        person.votes.update(check_right=right, check_asked=asked)
    Vote.objects.filter(participant=people[0]).update(check_right=None, check_asked=None)
    cut = WAYS["check"](votes_of(campaign).counted)
    counts = dict(zip(cut.names, np.bincount(cut.place, minlength=4).tolist(), strict=True))
    assert counts == {"0–4": 10, "5–7": 15, "8–10": 10, "unchecked": 5}
    told = rows(slices.build(published_source(campaign.board, by="check")), "slices")
    assert [row["slice"] for row in told] == list(counts)
    assert {row["status"] for row in told} == {"suppressed"}, "three volunteers a part say nothing"


def test_style_is_measured_on_the_stored_answers(campaign: Campaign) -> None:
    counted = votes_of(campaign).counted
    read = styled_votes(counted)
    a, b = read.measures["length"]
    first = Battle.objects.order_by("created_at")[0]
    lengths = {side: sum(len(text) for text in texts) for side, texts in answers_of(first).items()}
    assert (a[0], b[0]) == (lengths["A"], lengths["B"])
    assert (read.n_counted, read.n_untimed) == (40, 0)
    assert styled_votes(counted, most=7).ballots(Criterion.OVERALL).n_votes == 7


def answers_of(battle: Battle) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {"A": [], "B": []}
    for turn in battle.turns.all():
        for answer in turn.answers.all():
            found[answer.side].append(answer.text)
    return found


def test_style_tells_what_length_is_worth_and_what_never_differs(campaign: Campaign) -> None:
    report = style.build(published_source(campaign.board))
    told = {row["covariate"]: row for row in rows(report, "terms")}
    assert told["length"]["status"] == "told"
    assert float(told["length"]["low"] or 0) < float(told["length"]["high"] or 0)
    assert {told[name]["status"] for name in ("headers", "lists", "bold", "latency")} == {"never_differs"}
    assert len(rows(report, "ratings")) == 2
