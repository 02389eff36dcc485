"""The parts together: pairs drawn, votes simulated, boards fitted, as a campaign goes on."""

from __future__ import annotations

import random
from collections import Counter

import choix
import numpy as np
import pytest

from ranking.board import SCALE, BoardResult, build_board
from ranking.fit import fit_bradley_terry
from ranking.missing import missing
from ranking.sampler import draw_pair
from ranking.tally import Tally
from ranking.types import Outcome, Status, TieRule
from tests.ranking.builders import Vote, ring

STRENGTHS = {"bat": 0.6, "bi": 0.2, "hiru": -0.1, "lau": -0.7}


def judged(model_a: str, model_b: str, chance: random.Random) -> Outcome:
    p = 1 / (1 + np.exp(STRENGTHS[model_b] - STRENGTHS[model_a]))
    tie = 0.4 * min(p, 1 - p)
    draw = chance.random()
    if draw < tie:
        return chance.choice([Outcome.TIE, Outcome.BOTH_BAD])
    return Outcome.A_BETTER if draw < tie + p - tie / 2 else Outcome.B_BETTER


def campaign(n_votes: int, *, policy: str, seed: int) -> list[Vote]:
    chance = random.Random(seed)
    met: Counter[frozenset[str]] = Counter()
    votes: list[Vote] = []
    for _ in range(n_votes):
        draw = draw_pair(list(STRENGTHS), met, policy=policy, rng=chance)
        met[frozenset((draw.model_a, draw.model_b))] += 1
        votes.append((draw.model_a, draw.model_b, judged(draw.model_a, draw.model_b, chance)))
    return votes


def board_after(votes: list[Vote]) -> BoardResult:
    return build_board(Tally.from_votes(votes, list(STRENGTHS)))


@pytest.mark.parametrize("policy", ["uniform", "balanced"])
def test_a_campaign_finds_the_order_and_the_distances(policy: str) -> None:
    board = board_after(campaign(6000, policy=policy, seed=5))
    assert board.status is Status.OK
    assert [row.model for row in board.ratings] == ["bat", "bi", "hiru", "lau"]
    for row in board.ratings:
        assert row.rating == pytest.approx(1000 + SCALE * STRENGTHS[row.model], abs=20)


def test_a_campaign_goes_from_empty_over_provisional_to_ok() -> None:
    votes = campaign(2500, policy="balanced", seed=2)
    seen = [board_after(votes[:count]).status for count in (0, 1, 40, 2500)]
    assert seen[1] in {Status.INSUFFICIENT, Status.UNBOUNDED}  # a first tie, or a first win
    assert [seen[0], *seen[2:]] == [Status.EMPTY, Status.PROVISIONAL, Status.OK]


def test_the_votes_that_were_said_to_be_missing_are_about_enough() -> None:
    votes = campaign(4000, policy="balanced", seed=8)
    said = missing(Tally.empty(list(STRENGTHS))).until_firm
    needed = next(count for count in range(50, 4000, 10) if board_after(votes[:count]).status is Status.OK)
    assert 0.6 * said <= needed <= 1.4 * said


def test_what_is_missing_is_never_nothing_before_the_board_is_firm() -> None:
    votes = campaign(1500, policy="balanced", seed=4)
    for count in range(0, 1500, 25):
        tally = Tally.from_votes(votes[:count], list(STRENGTHS))
        board = build_board(tally)
        assert (missing(tally, board).until_firm == 0) is (board.status is Status.OK)


def test_intervals_narrow_as_votes_come_in() -> None:
    votes = campaign(3200, policy="balanced", seed=3)
    widths = [max(row.half_width or 0 for row in board_after(votes[:n]).ratings) for n in (200, 800, 3200)]
    assert widths[0] > 1.7 * widths[1] > 1.7 * 1.7 * widths[2]


def test_the_fit_is_that_of_choix_on_the_list_of_votes() -> None:
    votes = [vote for vote in campaign(300, policy="uniform", seed=6) if vote[2] is not Outcome.TIE]
    tally = Tally.from_votes(votes, list(STRENGTHS))
    place = {model: index for index, model in enumerate(STRENGTHS)}
    wins = [
        (place[a], place[b]) if outcome is Outcome.A_BETTER else (place[b], place[a])
        for a, b, outcome in votes
        if outcome in {Outcome.A_BETTER, Outcome.B_BETTER}
    ]
    slow = choix.opt_pairwise(len(place), wins, alpha=0, tol=1e-9)
    fast = fit_bradley_terry(tally, ties=TieRule.DROP).strengths
    assert fast == pytest.approx(slow - slow.mean(), abs=1e-4)


def test_one_more_win_lifts_the_winner_and_lowers_the_loser() -> None:
    tally = ring(5)
    before = {row.model: row.rating or 0 for row in build_board(tally).ratings}
    after = {
        row.model: row.rating or 0 for row in build_board(tally.moved("m0", "m3", Outcome.A_BETTER)).ratings
    }
    assert after["m0"] > before["m0"]
    assert after["m3"] < before["m3"]
