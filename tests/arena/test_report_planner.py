"""The planner: what is still needed, in words and numbers."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from arena.numbers import planner as stored
from arena.numbers.material import material_of
from arena.reports import planner
from arena.reports.planner import Planned
from arena.services import boards
from inference.models import Candidate
from ranking import reference
from ranking.ballots import Ballots
from ranking.models import Board
from ranking.numbers import Numbers
from ranking.plans import PlanStatus
from ranking.selectors import load_tally
from ranking.services import publish_counts, replace_tally, store_report
from ranking.tally import Tally
from ranking.types import BoardKind, Criterion
from tests.arena.boards import published_board, source_of
from tests.arena.builders import make_campaign
from tests.arena.crowds import store
from tests.ranking.builders import make_tally

GPT = "gpt-4o-2024-11-20"
pytestmark = pytest.mark.django_db


@cache
def plan_of_2025() -> Numbers:
    """Computed once: a second for each test would be too much."""
    material = material_of(Board.objects.get(slug=reference.BOARD_SLUG))
    return stored.compute(material, Criterion.OVERALL)


@pytest.fixture
def published() -> Board:
    board = published_board()
    tally = load_tally(board_id=board.pk, criterion=Criterion.OVERALL)
    snapshot = publish_counts(board=board, criterion=Criterion.OVERALL, tally=tally, at=timezone.now())
    store_report(snapshot=snapshot, report=stored.REPORT, numbers=plan_of_2025())
    return board


def planned(board: Board, **asked: str) -> Planned:
    found = planner.PAGE.build(replace(source_of(board), query=asked))
    assert isinstance(found, Planned)
    return found


def efforts(report: Planned) -> dict[Any, Any]:
    """Votes, volunteers and hours by the share of futures that they suffice in."""
    return {row[0]: row[1:] for row in report.sections[0].table.rows}


def imported(counts: Tally) -> Board:
    board = Board.objects.create(slug="beste", name="B", kind=BoardKind.IMPORTED.value)
    replace_tally(board=board, tallies={Criterion.OVERALL: counts})
    boards.publish(board)
    return board


def test_a_narrower_interval_takes_as_the_square_more(published: Board) -> None:
    ten, five = (efforts(planned(published, width=width)) for width in ("10", "5"))
    low, middle, high = (ten[share][0] for share in (0.1, 0.5, 0.9))
    assert low < middle < high
    # 12,890 votes are there already, of which half widths of about 17.6 came: this many for 10, four times as many for 5
    assert 12_890 + middle == pytest.approx(12_890 * (22.2 / 10) ** 2, rel=0.1)
    assert (12_890 + five[0.5][0]) / (12_890 + middle) == pytest.approx(4, rel=0.05)


def test_volunteers_and_hours_follow_from_the_pace(published: Board) -> None:
    votes, people, hours = efforts(planned(published, width="10"))[0.5]
    assert people == pytest.approx(votes * 1285 / 12890, abs=1)
    assert hours == pytest.approx(votes * 3 / 60)
    typed = planned(published, width="10", battles_a_volunteer="20", minutes_a_battle="1,5")
    votes, people, hours = efforts(typed)[0.5]
    assert people == pytest.approx(votes / 20, abs=1)
    assert hours == pytest.approx(votes * 1.5 / 60)


def test_what_is_assumed_is_called_so(published: Board) -> None:
    with translation.override("en"):
        left_open = str(planned(published).sections[1].text)
        assert "Assumed: the minutes a battle" in left_open
        assert "12,890 votes of 1,285 people" in left_open
        said = str(planned(published, minutes_a_battle="2", battles_a_volunteer="5").sections[1].text)
    assert "The minutes a battle are yours." in said
    assert "The battles a volunteer are yours." in said
    assert "Assumed: votes are independent" in said


def test_what_the_board_tells_already_needs_nothing(published: Board) -> None:
    for asked in (
        {"goal": "half_width", "width": "100"},
        {"goal": "top_k", "k": "1"},
        {"goal": "separate", "model_a": GPT, "model_b": "Llama-3.1-8B-Instruct"},
    ):
        report = planned(published, **asked)
        assert set(efforts(report).values()) == {(0, 0, 0.0)}
        with translation.override("en"):
            assert "no more votes are needed" in str(report.sections[0].text)


def test_what_a_million_votes_do_not_tell_has_no_number() -> None:
    report = planned(imported(make_tally("x>y*20", "x<y*10", "y>z*5", "z>x*2")), width="0.1")
    assert efforts(report) == dict.fromkeys((0.1, 0.5, 0.9), (None, None, None))
    with translation.override("en"):
        assert "a million more votes are not enough" in str(report.sections[0].text)


def test_a_single_model_has_no_plan() -> None:
    campaign = make_campaign(candidates=1)
    assert boards.publish(campaign.board) == []
    report = planned(campaign.board)
    with translation.override("en"):
        assert str(report.reason) == str(planner._SAID[PlanStatus.TOO_FEW_MODELS])
    assert not report.sections


def test_nobody_is_best_among_models_that_nothing_tells_apart(client: Client) -> None:
    campaign = make_campaign(candidates=3)
    boards.publish(campaign.board)
    report = planned(campaign.board, goal="top_k", k="1")
    assert not report.sections
    with translation.override("en"):
        assert "Nothing tells these models apart yet" in str(report.reason)
    assert planned(campaign.board, goal="half_width").sections


def test_a_board_without_votes_is_planned_from_what_is_assumed() -> None:
    campaign = make_campaign(candidates=4)
    boards.publish(campaign.board)
    report = planned(campaign.board, width="25")
    with translation.override("en"):
        assert "all of this is assumed" in str(report.reason)
        assert "all models are equally good" in str(report.sections[1].text)
    assert report.sections[1].table.rows[0][0] == "balanced-2"
    # four equal models, n votes, fewer of them ties: a variance of about (1 - ties) 4 / (n / 2) (3 / 4)^2
    assert efforts(report)[0.5][0] == pytest.approx(
        8 * (3 / 4) ** 2 * (1 - 0.195) * (1.96 * 173.72 / 25) ** 2, rel=0.15
    )


def test_models_without_a_rating_count_as_spread_like_the_others() -> None:
    campaign = make_campaign(candidates=3)
    one, other, _ = Candidate.objects.values_list("code", flat=True)
    votes = np.arange(50)
    ballots = Ballots(
        (one, other), np.zeros(50, dtype=int), np.ones(50, dtype=int), (votes < 20).astype(int), votes % 9
    )
    store(ballots, campaign=campaign)
    boards.publish(campaign.board)
    with translation.override("en"):
        assert "spread as the rated ones are" in str(planned(campaign.board, width="50").sections[1].text)


@pytest.mark.parametrize(
    ("asked", "wrong", "said"),
    [
        ({"goal": "world peace"}, "goal", "one of the three goals"),
        ({"width": "wide"}, "width", "a number of rating points"),
        ({"width": ""}, "width", "a number of rating points"),
        ({"width": "-3"}, "width", "from 0.1 to 10,000"),
        ({"width": "nan"}, "width", "from 0.1"),
        ({"width": "inf"}, "width", "from 0.1"),
        ({"goal": "separate", "model_a": "HAL"}, "model_a", "two models of this board"),
        ({"goal": "separate", "model_b": ""}, "model_b", "two models of this board"),
        ({"goal": "separate", "model_a": GPT, "model_b": GPT}, "model_b", "two different models"),
        ({"goal": "top_k", "k": "21"}, "k", "from 1 to 20"),
        ({"goal": "top_k", "k": "0"}, "k", "from 1 to 20"),
        ({"goal": "top_k", "k": "1.5"}, "k", "a whole number"),
        ({"goal": "top_k", "k": "9" * 150}, "k", "a whole number"),
        ({"battles_a_volunteer": "0"}, "battles_a_volunteer", "from 0.1 to 100,000"),
        ({"battles_a_volunteer": "1e-300"}, "battles_a_volunteer", "from 0.1 to 100,000"),
        ({"minutes_a_battle": "1e300"}, "minutes_a_battle", "from 0.01 to 1,440"),
        ({"minutes_a_battle": "hiru"}, "minutes_a_battle", "or empty"),
    ],
)
def test_what_cannot_be_planned_is_said_and_kept(
    client: Client, published: Board, asked: dict[str, str], wrong: str, said: str
) -> None:
    client.post(reverse("set_language"), {"language": "en", "next": "/"})
    answer = client.get(reverse("report", args=[published.slug, "planner"]), asked)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert said in re.search(r'<p class="alert">(.*?)</p>', page)[1]  # type: ignore[index]
    report = planned(published, **asked)
    assert (report.wrong, report.sections) == (wrong, ())
    assert wrong == "goal" or f'name="{wrong}"' in page
    for name, value in asked.items():
        kept = f'value="{value}"' in page or f">{value}</option>" in page
        assert kept or name == "goal"
        assert report.asked[name] == value


def test_what_was_typed_cannot_leave_its_field(client: Client, published: Board) -> None:
    typed = '"><script>alert(1)</script>'
    page = client.get(
        reverse("report", args=[published.slug, "planner"]),
        {"width": typed, "model_a": typed, "k": typed, "goal": "separate"},
    ).content.decode()
    assert "<script>alert" not in page


def test_the_form_offers_the_models_and_keeps_the_choice(client: Client, published: Board) -> None:
    asked = {
        "goal": "separate",
        "model_a": GPT,
        "model_b": "claude-3-5-sonnet-20241022",
        "criterion": "overall",
    }
    page = client.get(reverse("report", args=[published.slug, "planner"]), asked).content.decode()
    assert page.count("<option") == 42
    assert f'<option value="{GPT}" selected>' in page
    assert 'value="separate" checked' in page
    assert 'name="criterion" value="overall"' in page


def test_downloads_plan_what_the_address_asks(client: Client, published: Board) -> None:
    address = reverse("report", args=[published.slug, "planner"])
    read = [
        list(
            csv.DictReader(
                io.StringIO(
                    client.get(address, {"format": "csv", "table": "plan", "width": w}).content.decode()
                )
            )
        )
        for w in ("10", "15")
    ]
    assert int(read[0][1]["votes"]) > int(read[1][1]["votes"]) > 0


def test_a_stored_plan_is_written_in_each_readers_language(client: Client, published: Board) -> None:
    address = reverse("report", args=[published.slug, "planner"])
    first = client.get(address).content.decode()
    client.post(reverse("set_language"), {"language": "en", "next": "/"})
    second = client.get(address).content.decode()
    votes = []
    for page in (first, second):
        said = re.search(r'<p class="standing">(.*?)</p>', page)
        assert said
        votes.append(re.findall(r"\d+[.,]\d{3}", said[1]))
    assert votes[0] == [each.replace(",", ".") for each in votes[1]]
    assert votes[0] != votes[1]


def test_large_boards_are_simulated_less_often() -> None:
    told = [stored.repetitions_for(models) for models in (2, 21, 50, 100, 1000)]
    assert told == [80, 80, 80, 20, 20]


def test_a_board_of_very_many_models_is_not_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "MOST_MODELS", 2)
    report = planned(imported(make_tally("x>y*3", "y>z*2", "z>x*2")))
    assert (report.sections, report.models) == ((), ())
    with translation.override("en"):
        assert "more than 2 models" in str(report.reason)


def test_every_status_has_words() -> None:
    assert set(planner._SAID) == set(PlanStatus)
