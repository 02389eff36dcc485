"""The page on quality where there is little, or nothing, to measure it by."""

from __future__ import annotations

import pytest

from arena.numbers.quality import repeated
from arena.reports import quality
from inference.models import Candidate
from ranking.types import Criterion, Outcome
from tests.arena.boards import published_board, published_source
from tests.arena.builders import make_campaign, make_participant
from tests.arena.test_report_votes import answered, judged, rows, votes_of

pytestmark = pytest.mark.django_db
A, B, TIE = Outcome.A_BETTER, Outcome.B_BETTER, Outcome.TIE


def test_the_published_boards_one_pair_of_106_battles_stands_out() -> None:
    report = quality.build(published_source(published_board()))
    over = [row for row in rows(report, "sampling") if row["sampling"] == "over"]
    assert [row["battles"] for row in over] == [106]
    assert over[0]["residual"] == pytest.approx(5.71, abs=0.01)
    assert rows(report, "position")[0]["estimate"] is None
    assert report.reason


def test_few_volunteers_are_not_counted_by_what_their_votes_look_like() -> None:
    campaign = make_campaign()
    for number in range(4):
        judged(answered(make_participant(campaign), f"Galdera {number}"), (A, B)[number % 2])
    told = rows(quality.build(published_source(campaign.board)), "raters")
    assert {row["status"] for row in told} == {"suppressed"}
    assert {row["flagged_users"] for row in told} == {None}


def test_the_same_question_of_the_same_pair_is_one_item_whichever_side_each_was_on() -> None:
    campaign = make_campaign()
    favourite = Candidate.objects.order_by("code")[0]
    for number in range(12):
        battle = answered(make_participant(campaign), ("kaixo", "  Kaixo", "Agur")[number % 3])
        for_it = A if battle.candidate_a_id == favourite.pk else B
        judged(battle, for_it if number % 3 < 2 else TIE)
    found = repeated(votes_of(campaign), Criterion.CONTENT)
    assert (found.n_items, found.n_judgements) == (2, 12)
    assert found.nominal is not None
    assert found.nominal.value == pytest.approx(1)
