from __future__ import annotations

from math import isfinite
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking import cells
from ranking.errors import BadInput
from ranking.types import Outcome

anything = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.lists(st.integers())
)


def test_each_winner_has_its_outcome() -> None:
    read = {word: cells.outcome(2, {"winner": word}, "winner") for word in cells.OUTCOMES}
    assert read == {
        "model_a": Outcome.A_BETTER,
        "model_b": Outcome.B_BETTER,
        "tie": Outcome.TIE,
        "both_bad": Outcome.BOTH_BAD,
        "tie (bothbad)": Outcome.BOTH_BAD,
    }


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("1", 1.0),
        (" 0.5 ", 0.5),
        ("0", 0.0),
        (2, 2.0),
        (0.25, 0.25),
        ("+3.", 3.0),
        (".5", 0.5),
        ("1e-3", 0.001),
        (1e-05, 1e-05),
    ],
)
def test_a_weight_is_a_decimal_number_from_zero(raw: Any, expected: float) -> None:
    assert cells.weight(2, {"weight": raw}) == expected


def test_a_row_that_says_no_weight_weighs_one() -> None:
    assert cells.weight(2, {}) == 1


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "-1",
        "nan",
        "inf",
        "1e999",
        "1_0",
        "٣",
        "0x1",
        "one",
        "1,5",
        "1e",
        ".",
        None,
        True,
        -0.5,
        float("nan"),
        [1],
    ],
)
def test_what_is_no_weight_is_refused_with_its_place(raw: Any) -> None:
    with pytest.raises(BadInput, match="is not a weight") as caught:
        cells.weight(7, {"weight": raw})
    assert (caught.value.line, caught.value.column) == (7, "weight")


@given(st.floats(min_value=0, allow_nan=False, allow_infinity=False))
def test_what_python_writes_of_a_number_is_read_back(number: float) -> None:
    assert cells.weight(2, {"weight": number}) == number
    assert cells.weight(2, {"weight": str(number)}) == number


@given(anything)
def test_any_cell_is_a_finite_weight_or_refused(raw: Any) -> None:
    try:
        number = cells.weight(2, {"weight": raw})
    except BadInput:
        return
    assert isfinite(number)
    assert number >= 0


@pytest.mark.parametrize(("raw", "expected"), [(" ane ", "ane"), (5, "5"), ("", ""), ("  ", ""), (None, "")])
def test_a_voter_is_a_name_or_a_number_or_nobody(raw: Any, expected: str) -> None:
    assert cells.voter(2, {"user": raw}, "user") == expected


def test_a_row_that_does_not_say_who_voted_is_nobodys() -> None:
    assert cells.voter(2, {}, "user") == ""


@pytest.mark.parametrize("raw", [True, 1.5, ["ane"], {"id": 1}])
def test_what_names_nobody_is_refused_with_its_place(raw: Any) -> None:
    with pytest.raises(BadInput, match="name of a voter") as caught:
        cells.voter(4, {"judge": raw}, "judge")
    assert (caught.value.line, caught.value.column) == (4, "judge")


@given(anything)
def test_a_cell_in_a_message_is_short(raw: Any) -> None:
    assert len(cells.shown(raw)) <= 60
    assert len(cells.shown([raw] * 100)) <= 60
