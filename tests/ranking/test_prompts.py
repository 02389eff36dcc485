"""What was asked, in numbers that tell of nobody."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ranking.prompts import prompt_statistics
from ranking.selection import TURNS
from ranking.tables import Table
from tests.ranking.judged import judgements, row


def tables(rows: list[dict[str, object]]) -> dict[str, Table]:
    return {each.name: each for each in prompt_statistics(judgements(rows))}


def test_lengths_are_told_by_quantiles_of_the_first_messages() -> None:
    found = tables([row(username=f"u{at}", prompt_chars=at) for at in range(1, 101)])["lengths"]
    told = found.as_json()[0]
    assert (told["votes"], told["users"], told["mean_length"], told["p50"]) == (100, 100, 50.5, 50.5)
    assert told["p10"] == np.percentile(np.arange(1, 101), 10)


def test_four_people_are_nothing_to_tell_of() -> None:
    assert not tables([row(username=f"u{at % 4}") for at in range(50)])


def test_a_language_of_few_people_is_not_told_and_neither_is_what_it_could_be_computed_from() -> None:
    rows = [row(username=f"u{at}", prompt_language="eu") for at in range(20)]
    rows += [row(username=f"u{at}", prompt_language="es") for at in range(9)]
    rows += [row(username="u3", prompt_language="fr")]
    found = {each["prompt_language"]: each for each in tables(rows)["prompt_languages"].as_json()}
    assert found["fr"]["votes"] is found["es"]["votes"] is None
    assert (found["eu"]["votes"], found["eu"]["users"]) == (20, 20)


def test_rows_that_hide_five_people_together_need_no_other() -> None:
    rows = [row(username=f"u{at}", prompt_language="eu") for at in range(20)]
    rows += [row(username=f"u{at}", prompt_language=("fr", "es")[at % 2]) for at in range(6)]
    found = {each["prompt_language"]: each["votes"] for each in tables(rows)["prompt_languages"].as_json()}
    assert found == {"eu": 20, "fr": None, "es": None}


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 4)), min_size=1, max_size=60))
def test_no_row_ever_tells_of_fewer_than_five_people(votes: list[tuple[int, int]]) -> None:
    found = tables([row(username=f"u{who}", turns=turns) for who, turns in votes])
    for each in found["turn_counts"].as_json() if found else ():
        people = {who for who, turns in votes if TURNS[min(turns, 3) - 1] == each["messages"]}
        assert each["votes"] is None or not people or len(people) >= 5
        assert each["users"] in {None, len(people)}
