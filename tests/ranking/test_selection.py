"""Filters, as an address and as options."""

from __future__ import annotations

from urllib.parse import parse_qsl

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking.errors import BadInput
from ranking.filters import ExclusionReason, FilterSet
from ranking.selection import LENGTHS, TURNS, Selection, length_band, turns_band
from tests.ranking.judged import judgements, row

ANY = st.fixed_dictionaries(
    {},
    optional={
        "campaign": st.sampled_from(["lehia", "udaberria"]),
        "since": st.dates().map(str),
        "until": st.dates().map(str),
        "level": st.sampled_from(["C1-C2", "undeclared"]),
        "education": st.sampled_from(["High School", "undeclared"]),
        "language": st.sampled_from(["eu", "unmeasured"]),
        "turns": st.sampled_from(TURNS),
        "length": st.sampled_from(LENGTHS),
        "display": st.sampled_from(["paced", "whole"]),
        "exclude": st.frozensets(st.sampled_from(list(ExclusionReason))).map(
            lambda some: str(FilterSet(some))
        ),
    },
)


@given(ANY)
def test_an_address_says_all_of_a_selection(asked: dict[str, str]) -> None:
    found = Selection.of(asked)
    assert Selection.of(dict(parse_qsl(str(found)))) == found
    words = found.arguments()
    assert (
        Selection.of({k.removeprefix("--"): v for k, v in zip(words[::2], words[1::2], strict=True)}) == found
    )


def test_all_reasons_exclude_where_nothing_is_said_so_that_saying_it_changes_nothing() -> None:
    assert Selection.of({"exclude": str(FilterSet.strictest())}) == Selection()
    assert str(Selection()) == ""


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ({}, [0, 1, 2, 3]),
        ({"campaign": "b"}, [1]),
        ({"since": "2026-03-03"}, [2, 3]),
        ({"until": "2026-03-03"}, [0, 1]),
        ({"level": "undeclared"}, [2]),
        ({"education": "High School"}, [3]),
        ({"language": "unmeasured"}, [1]),
        ({"turns": "3+"}, [0]),
        ({"length": "51-100"}, [2]),
        ({"display": "whole"}, [3]),
        ({"exclude": "none"}, [0, 1, 2, 3, 4]),
        ({"since": "2026-03-03", "display": "paced"}, [2]),
    ],
)
def test_each_filter_keeps_what_it_says(asked: dict[str, str], kept: list[int]) -> None:
    found = judgements(
        [
            row(turns=7),
            row(campaign="b", prompt_language="", timestamp="2026-03-02T23:59:59.999999+00:00"),
            row(user_language="", prompt_chars=51, timestamp="2026-03-03T00:00:00+00:00"),
            row(user_education="High School", display="whole", timestamp="2026-03-04T00:00:00+00:00"),
            row(exclusions=["guest"]),
        ]
    )
    assert np.flatnonzero(Selection.of(asked).matching(found)).tolist() == kept


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("since", "yesterday"),
        ("until", "2026-02-30"),
        ("turns", "4"),
        ("length", "1-2"),
        ("exclude", "taste"),
        ("campaign", "x" * 201),
        ("level", "C1\n" + "x"),
    ],
)
def test_what_cannot_be_a_value_is_refused(name: str, value: str) -> None:
    with pytest.raises(BadInput):
        Selection.of({name: value})


def test_bands_meet_at_their_ends() -> None:
    ends = [int(word) for band in LENGTHS[:-1] for word in band.split("-")]
    assert length_band(np.array([*ends, 801])).tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5]
    assert turns_band(np.array([1, 2, 3, 9])).tolist() == [0, 1, 2, 2]
