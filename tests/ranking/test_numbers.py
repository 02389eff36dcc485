"""Numbers of reports, as they are stored."""

from __future__ import annotations

import json

import pytest

from ranking.numbers import Numbers
from ranking.tables import Table


def test_numbers_come_back_as_they_were_stored() -> None:
    table = Table("t", ("a", "b", "c"), (("x", 1, 0.1), (None, True, -0.0)))
    numbers = Numbers((table,), {"n": 3, "share": 1 / 3, "none": None})
    again = Numbers.from_json(json.loads(json.dumps(numbers.as_json())))
    assert again == numbers
    assert str(again.table("t").rows[1][2]) == "0.0"


def test_a_table_is_found_by_its_name_or_not_there() -> None:
    numbers = Numbers((Table("t", ("a",), ()),))
    assert numbers.table("t").columns == ("a",)
    assert (numbers.has("t"), numbers.has("u")) == (True, False)
    with pytest.raises(KeyError):
        numbers.table("u")


def test_numbers_without_any_are_empty() -> None:
    assert Numbers().is_empty
    assert not Numbers(facts={"rated": False}).is_empty
    assert not Numbers((Table("t", ("a",), ()),)).is_empty


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        Numbers(facts={"share": bad})
    with pytest.raises(ValueError, match="finite"):
        Table("t", ("a",), ((bad,),))
