"""Whole columns out of the database, and ids numbered and matched as arrays."""

from __future__ import annotations

from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.models import Participant
from arena.selectors.columns import (
    UNKNOWN,
    coded,
    identity,
    matched,
    numbered,
    packed,
    read_columns,
    uuids,
    whole,
)

FEW = st.lists(st.integers(0, 5).map(lambda n: UUID(int=n << 64 | 7)), max_size=20)
SAME_HALF = st.lists(st.integers(0, 5).map(lambda n: UUID(int=7 << 64 | n)), max_size=20)


@given(FEW | SAME_HALF)
def test_equal_ids_have_equal_numbers_in_order_of_appearance(ids: list[UUID]) -> None:
    first, number = numbered(packed(ids))
    known = list(dict.fromkeys(ids))
    assert number.tolist() == [known.index(each) for each in ids]
    assert [ids[place] for place in first] == known


@given(FEW | SAME_HALF, st.sets(st.integers(0, 5)))
def test_ids_are_found_among_others_or_not(some: list[UUID], others: set[int]) -> None:
    among = [UUID(int=n << 64 | 7) for n in others]
    place, within = matched(packed(some), packed(among))
    assert within.tolist() == [each in among for each in some]
    assert [among[at] for at in place] == [each for each in some if each in among]


def test_ids_come_back_from_their_bytes() -> None:
    ids = [uuid4() for _ in range(5)]
    assert uuids(packed(ids)) == ids


@pytest.mark.django_db
def test_columns_are_those_of_the_rows_in_their_order() -> None:
    people = [Participant.objects.create(language_level=level) for level in ("C1-C2", "", "A1-A2")]
    rows = Participant.objects.order_by("created_at", "pk")
    read = read_columns(rows, {"id": identity("pk"), "level": coded("language_level", ["A1-A2", "C1-C2"])})
    assert uuids(read["id"]) == [each.pk for each in people]
    assert read["level"].tolist() == [1, UNKNOWN, 0]
    empty = read_columns(rows.filter(language_level="B1-B2"), {"id": identity("pk")})
    assert len(empty["id"]) == 0


@pytest.mark.django_db
def test_a_null_is_refused() -> None:
    Participant.objects.create()
    with pytest.raises(ValueError, match="null"):
        read_columns(Participant.objects.all(), {"user": whole("user_id")})


def test_no_ids_are_no_numbers() -> None:
    first, number = numbered(np.zeros(0, dtype="V16"))
    assert (len(first), len(number)) == (0, 0)
