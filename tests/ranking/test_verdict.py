"""The table of 80 combinations, written out."""

from __future__ import annotations

from itertools import product

import pytest

from ranking.errors import InvalidJudgements
from ranking.types import Outcome
from ranking.verdict import overall_is_asked, winner
from tests.ranking.builders import BAD, TIE, A, B

ASKED = "overall"
TABLE: dict[tuple[Outcome, Outcome], Outcome | str] = {
    (A, A): A, (A, B): ASKED, (A, TIE): A, (A, BAD): A,
    (B, A): ASKED, (B, B): B, (B, TIE): B, (B, BAD): B,
    (TIE, A): A, (TIE, B): B, (TIE, TIE): TIE, (TIE, BAD): TIE,
    (BAD, A): A, (BAD, B): B, (BAD, TIE): TIE, (BAD, BAD): BAD,
}  # fmt: skip  # a table reads as one
COMBINATIONS = list(product(Outcome, Outcome, [None, *Outcome]))


def expected(content: Outcome, language: Outcome, overall: Outcome | None) -> Outcome | None:
    found = TABLE[content, language]
    if isinstance(found, Outcome):
        return found if overall is None else None
    return overall


def test_the_table_has_80_combinations_of_which_22_are_valid() -> None:
    assert len(COMBINATIONS) == 80
    assert sum(expected(*each) is not None for each in COMBINATIONS) == 22


@pytest.mark.parametrize(("content", "language", "overall"), COMBINATIONS)
def test_the_winner_follows_the_table(content: Outcome, language: Outcome, overall: Outcome | None) -> None:
    wanted = expected(content, language, overall)
    if wanted is None:
        with pytest.raises(InvalidJudgements):
            winner(content, language, overall)
    else:
        assert winner(content, language, overall) is wanted


@pytest.mark.parametrize(("content", "language"), list(product(Outcome, Outcome)))
def test_overall_is_asked_exactly_where_the_table_says_so(content: Outcome, language: Outcome) -> None:
    assert overall_is_asked(content, language) is (TABLE[content, language] == ASKED)


def test_swapping_the_sides_swaps_the_winner() -> None:
    swap = {A: B, B: A, TIE: TIE, BAD: BAD}
    for content, language, overall in COMBINATIONS:
        if expected(content, language, overall) is None:
            continue
        mirrored = winner(swap[content], swap[language], None if overall is None else swap[overall])
        assert mirrored is swap[winner(content, language, overall)]
