from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking import reference
from ranking.board import build_board
from ranking.fit import fit_bradley_terry, win_probabilities
from ranking.rao_kupper import fit_rao_kupper
from ranking.readers import read_tally
from ranking.standings import COLUMNS, standing_table, standings
from ranking.standings import win_probabilities as mean_probabilities
from ranking.tally import Tally
from ranking.types import Criterion, TieRule
from tests.ranking.builders import make_tally, ring, simulated, votes_strategy

CONTENT, LANGUAGE, OVERALL = Criterion.CONTENT, Criterion.LANGUAGE, Criterion.OVERALL


def probabilities(tally: Tally, ties: TieRule = TieRule.HALF) -> dict[str, float]:
    return mean_probabilities(tally, build_board(tally, ties=ties))


@pytest.mark.parametrize("ties", [TieRule.HALF, TieRule.DROP])
def test_a_win_probability_is_the_mean_over_the_others(ties: TieRule) -> None:
    tally = read_tally(reference.pairs_path())
    pairs = win_probabilities(fit_bradley_terry(tally, ties=ties).strengths)
    np.fill_diagonal(pairs, 0)
    found = probabilities(tally, ties)
    assert [found[model] for model in tally.models] == pytest.approx(pairs.sum(axis=1) / 20, abs=1e-9)


def test_under_rao_kupper_a_tie_counts_as_half_a_win() -> None:
    tally = make_tally("x>y*60", "x<y*20", "x=y*40")
    assert fit_rao_kupper(tally).log_threshold > 0
    assert probabilities(tally, TieRule.RAO_KUPPER) == pytest.approx({"x": 80 / 120, "y": 40 / 120})


@given(votes_strategy, st.sampled_from(TieRule))
def test_win_probabilities_of_any_board_are_half_on_average(votes: list, ties: TieRule) -> None:  # type: ignore[type-arg]  # of votes
    found = probabilities(ring(3).merged(Tally.from_votes(votes)), ties)
    assert all(0 < each < 1 for each in found.values())
    assert not found or sum(found.values()) / len(found) == pytest.approx(0.5)


def test_the_unrated_have_no_win_probability() -> None:
    tally = ring(3).merged(make_tally("m0>new"))
    found = standings(tally, build_board(tally), {})
    assert [each.row.model for each in found if each.win_probability is None] == ["new"]


def test_differences_are_those_of_the_ratings() -> None:
    rng = np.random.default_rng(4)
    tallies = {
        criterion: simulated(np.array(strengths), per_pair=300, tie_rate=0.2, rng=rng)
        for criterion, strengths in {
            OVERALL: [0.5, 0, -0.5],
            CONTENT: [1, 0, -1],
            LANGUAGE: [0, 0, 0],
        }.items()
    }
    boards = {criterion: build_board(tally, criterion=criterion) for criterion, tally in tallies.items()}
    rating = {
        criterion: {row.model: row.rating for row in board.ratings if row.rating is not None}
        for criterion, board in boards.items()
    }
    for shown in Criterion:  # whichever board they stand on
        for each in standings(tallies[shown], boards[shown], boards):
            model = each.row.model
            assert each.content == pytest.approx(rating[CONTENT][model] - rating[OVERALL][model])
            assert each.language == pytest.approx(rating[LANGUAGE][model] - rating[OVERALL][model])


def test_differences_do_not_come_from_a_model_that_one_criterion_cannot_rate() -> None:
    whole = ring(3, 100).merged(make_tally("m0>new*300", "new>m1*2", "m2>new*300"))
    part = ring(3, 100).merged(make_tally("m0>new"))
    boards = {OVERALL: build_board(whole), CONTENT: build_board(part)}
    found = {each.row.model: each for each in standings(whole, boards[OVERALL], boards)}
    assert found["new"].content is None
    assert sum(found[model].content or 0.0 for model in ("m0", "m1", "m2")) == pytest.approx(0, abs=1e-9)
    assert abs(boards[CONTENT].ratings[0].rating - 1000) < 1 < abs(boards[OVERALL].ratings[0].rating - 1000)  # type: ignore[operator]  # both are rated
    assert all(found[model].language is None for model in found)


def test_a_board_without_overall_has_no_differences() -> None:
    board = build_board(ring(3), criterion=CONTENT)
    assert {each.content for each in standings(ring(3), board, {CONTENT: board})} == {None}


def test_the_table_holds_the_boards_own_words() -> None:
    tally = ring(3).merged(make_tally("m0>new"))
    board = build_board(tally)
    table = standing_table(standings(tally, board, {}))
    assert (table.name, table.columns) == ("ratings", COLUMNS)
    for row, plain in zip(table.as_json(), board.as_json()["ratings"], strict=True):
        assert {name: row[name] for name in plain} == plain
    assert table.as_json()[3]["status"] == "unbounded"


def test_a_board_of_nobody_has_an_empty_table() -> None:
    tally = Tally.empty([])
    assert standing_table(standings(tally, build_board(tally), {})).rows == ()
