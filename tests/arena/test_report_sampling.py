"""The published sampling rule: probabilities now, newcomers, sides and the log."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from arena.models import Battle, Campaign, Participant
from arena.reports import sampling
from arena.reports.base import Report, Section
from arena.selectors.draws import propensity_log, sides_shown
from arena.services import boards
from arena.services.battles import abandon
from inference.models import Candidate, ModelEndpoint
from inference.types import EndpointStatus
from ranking.heatmap import HeatMap
from ranking.models import Board
from ranking.services import TallyEntry, record
from ranking.types import Criterion, Outcome
from tests.arena.boards import published_board, source_of
from tests.arena.builders import begin, make_campaign, make_participant

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign() -> Campaign:
    return make_campaign(candidates=4)


@pytest.fixture
def published() -> Board:
    return published_board()


def codes() -> list[str]:
    return list(Candidate.objects.order_by("code").values_list("code", flat=True))


def vote(campaign: Campaign, a: str, b: str, times: int = 1) -> None:
    """So many votes of a pair, that go both ways."""
    ways = cycle([Outcome.A_BETTER, Outcome.B_BETTER])
    entries = [TallyEntry(Criterion.OVERALL, a, b, next(ways)) for _ in range(times)]
    record(board_id=campaign.board_id, entries=entries)


def sections(report: Report) -> dict[str, Section]:
    return {section.table.name: section for section in report.sections}


def rows(board: Board, table: str) -> list[dict[str, Any]]:
    return sections(sampling.build(source_of(board)))[table].table.as_json()


def battles(
    campaign: Campaign, volunteer: Participant, drawn: Iterator[tuple[Candidate, Candidate, float]]
) -> None:
    Battle.objects.bulk_create(
        Battle(
            campaign=campaign,
            participant=volunteer,
            candidate_a=a,
            candidate_b=b,
            status="voted",
            policy="uniform",
            propensity=p,
            draw_seed=1,
        )
        for a, b, p in drawn
    )


def test_probabilities_sum_to_one_and_sides_to_their_pair(campaign: Campaign) -> None:
    a, b, c, _ = codes()
    vote(campaign, a, b, 7)
    vote(campaign, b, c, 2)
    pairs = rows(campaign.board, "pairs")
    assert len(pairs) == 6
    assert sum(row["probability"] for row in pairs) == pytest.approx(1)
    for row in pairs:
        assert row["probability"] == pytest.approx(row["probability_a"] + row["probability_b"])


def test_what_is_published_is_what_the_next_battle_logs(campaign: Campaign) -> None:
    a, b, c, _ = codes()
    vote(campaign, a, b, 7)
    vote(campaign, b, c, 2)
    told = {}
    for row in rows(campaign.board, "pairs"):
        told[row["model"], row["opponent"]] = row["probability_a"]
        told[row["opponent"], row["model"]] = row["probability_b"]
    for _ in range(5):  # each by a volunteer who has met nobody
        battle = begin(make_participant(campaign)).battle
        drawn = battle.candidate_a.code, battle.candidate_b.code
        assert battle.propensity == pytest.approx(told[drawn])


def test_a_model_on_trial_is_told_with_its_share(campaign: Campaign) -> None:
    a, *_ = codes()
    ModelEndpoint.objects.filter(candidate__code=a).update(
        status=EndpointStatus.CANARY.value, canary_share=0.1
    )
    pairs = rows(campaign.board, "pairs")
    assert sum(row["probability"] for row in pairs) == pytest.approx(1)
    its = [row["probability"] for row in pairs if a in {row["model"], row["opponent"]}]
    assert sum(its) == pytest.approx(0.1 / 2)  # in a pool of four, half of the pairs hold it


def test_a_pair_that_met_comes_less_often_and_its_other_order_first(campaign: Campaign) -> None:
    a, b, *_ = codes()
    vote(campaign, a, b, 3)
    met, *others = sorted(rows(campaign.board, "pairs"), key=lambda row: -row["battles"])
    assert (met["battles"], {row["battles"] for row in others}) == (3, {0})
    # a weight of 1/16 beside five of 1, over the even floor of a tenth
    assert met["probability"] == pytest.approx(0.1 / 6 + 0.9 * (1 / 16) / (5 + 1 / 16))
    as_drawn = met["probability_a"] if met["model"] == a else met["probability_b"]
    assert as_drawn == pytest.approx(met["probability"] / 4)


def test_every_criterion_shows_the_rule_by_the_overall_votes(campaign: Campaign) -> None:
    one, other, *_ = codes()
    vote(campaign, one, other, 3)
    told = []
    for criterion in Criterion:
        table = sections(sampling.build(source_of(campaign.board, criterion)))["pairs"].table
        told.append({(row["battles"], row["probability"]) for row in table.as_json()})
    assert told[0] == told[1] == told[2]
    assert {met for met, _ in told[0]} == {0, 3}


def test_a_model_without_a_server_is_not_in_the_pool(campaign: Campaign) -> None:
    gone = codes()[0]
    ModelEndpoint.objects.filter(candidate__code=gone).update(status=EndpointStatus.DISABLED.value)
    assert gone not in {row["model"] for row in rows(campaign.board, "newcomers")}
    ModelEndpoint.objects.update(status=EndpointStatus.DISABLED.value)
    report = sampling.build(source_of(campaign.board))
    assert not report.sections
    with translation.override("en"):
        assert "Fewer than two models" in str(report.reason)


def test_the_rule_is_told_with_its_parameters_and_only_the_parts_it_has(campaign: Campaign) -> None:
    said = {}
    for name in ("uniform", "balanced", "balanced-2", "mixed-1(f=0.1,n=0.5,d=0.2)"):
        Campaign.objects.update(sampling_policy=name)
        section = sections(sampling.build(source_of(campaign.board)))["policy"]
        assert section.table.rows[0][0] == name
        with translation.override("en"):
            said[name] = str(section.text)
    row = rows(campaign.board, "policy")[0]
    assert (row["floor"], row["newcomer"], row["duel"]) == (0.1, 0.5, 0.2)
    parts = ("“floor”", "“newcomer”", "“duel”", "1 / (1 + battles)²")
    told = {name: [part in text for part in parts] for name, text in said.items()}
    assert told == {
        "uniform": [True, False, False, False],
        "balanced": [False, False, False, True],
        "balanced-2": [True, True, False, True],
        "mixed-1(f=0.1,n=0.5,d=0.2)": [True, True, True, True],
    }


def test_a_newcomer_is_named_and_gets_its_share() -> None:
    campaign = make_campaign(candidates=5)
    *old, berri = codes()
    for place, a in enumerate(old):
        for b in old[place + 1 :]:
            vote(campaign, a, b, 600)
    vote(campaign, old[0], berri, 4)
    told = {
        row["model"]: (row["battles"], row["settled"], row["new"])
        for row in rows(campaign.board, "newcomers")
    }
    assert told[berri] == (4, False, True)
    assert {told[model][1:] for model in old} == {(True, False)}
    share = sum(
        row["probability"]
        for row in rows(campaign.board, "pairs")
        if berri in {row["model"], row["opponent"]}
    )
    assert share == pytest.approx(0.1 * 4 / 10 + 0.9 * 0.5)


def test_widths_of_settled_models_are_the_boards(published: Board) -> None:
    board = {row.model: row.half_width for row in source_of(published).result.ratings}
    told = rows(published, "newcomers")
    assert len(told) == 21
    for row in told:
        if row["settled"]:
            assert row["half_width"] == pytest.approx(board[row["model"]], abs=0.5)


def test_the_heat_map_counts_ten_thousand_draws(published: Board) -> None:
    section = sections(sampling.build(source_of(published)))["pairs"]
    assert section.figure
    assert isinstance(section.figure.geometry, HeatMap)
    drawn = [int(cell.text) for cell in section.figure.geometry.cells]
    assert len(drawn) == 21 * 20
    assert sum(drawn) / 2 == pytest.approx(10_000, rel=0.01)
    assert any(cell.over for cell in section.figure.geometry.cells)
    assert not all(cell.over for cell in section.figure.geometry.cells)


def test_an_imported_board_says_that_nothing_is_drawn_on_it(client: Client, published: Board) -> None:
    report = sampling.build(source_of(published))
    assert set(sections(report)) == {"policy", "pairs", "newcomers"}
    assert rows(published, "policy")[0]["policy"] == "balanced-2"
    with translation.override("en"):
        assert "Nothing is drawn on this board any more" in str(report.reason)
    assert client.get(reverse("report", args=[published.slug, "sampling"])).status_code == 200


def test_sides_have_their_share_and_interval(campaign: Campaign) -> None:
    one, other, *_ = Candidate.objects.order_by("code")
    volunteer = make_participant(campaign)
    battles(campaign, volunteer, iter([(one, other, 0.1)] * 6 + [(other, one, 0.1)] * 4))
    boards.publish(campaign.board)
    told = {row["model"]: row for row in rows(campaign.board, "sides")}
    assert set(told) == {one.code, other.code}
    assert [told[one.code][name] for name in ("battles", "as_a", "share_a")] == [10, 6, 0.6]
    # Wilson's interval of 6 in 10
    assert told[one.code]["share_low"] == pytest.approx(0.3127, abs=1e-4)
    assert told[one.code]["share_high"] == pytest.approx(0.8318, abs=1e-4)
    assert told[other.code]["share_a"] == pytest.approx(0.4)


def left(participant: Participant) -> None:
    """A battle that was drawn and has ended."""
    abandon(participant_id=participant.pk, battle_id=begin(participant).battle_id)


def test_the_log_says_what_each_policy_drew(campaign: Campaign) -> None:
    one, other, *_ = Candidate.objects.order_by("code")
    battles(campaign, make_participant(campaign), iter([(one, other, 0.1), (other, one, 0.4)]))
    left(make_participant(campaign))
    begin(make_participant(campaign))  # under way: its volunteer could tell its pair from the counts
    boards.publish(campaign.board)
    by = {row["policy"]: row for row in rows(campaign.board, "log")}
    assert {name: row["battles"] for name, row in by.items()} == {"balanced-2": 1, "uniform": 2}
    old = by["uniform"]
    assert (old["least"], old["mean"], old["most"]) == pytest.approx((0.1, 0.25, 0.4))
    assert old["choices"] == pytest.approx((10 + 2.5) / 2)
    assert by["balanced-2"]["choices"] == pytest.approx(12)  # ordered pairs of four models


def test_a_board_of_its_own_has_a_log_of_its_own(campaign: Campaign, published: Board) -> None:
    left(make_participant(campaign))
    assert (propensity_log(published), sides_shown(published)) == ([], [])
    assert sum(each.as_a for each in sides_shown(campaign.board)) == 1
    boards.publish(campaign.board)
    assert set(sections(sampling.build(source_of(campaign.board)))) == {
        *("policy", "pairs", "newcomers", "sides", "log")
    }


def test_what_was_drawn_is_told_of_the_last_publication_and_under_every_criterion(
    campaign: Campaign, client: Client
) -> None:
    left(make_participant(campaign))
    boards.publish(campaign.board)
    left(make_participant(campaign))
    for criterion in Criterion:
        told = sections(sampling.build(source_of(campaign.board, criterion)))["log"].table.as_json()
        assert [row["battles"] for row in told] == [1]
    page = client.get(reverse("report", args=[campaign.board.slug, "sampling"])).content.decode()
    snapshot = campaign.board.snapshots.get(criterion="overall")
    assert reverse("snapshot", args=[campaign.board.slug, snapshot.pk]) in page
