"""The board of any filter is a sum of what was stored for each mix of reasons."""

from __future__ import annotations

import numpy as np
import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.numbers.filters import Mixes, compute
from arena.numbers.material import Votes
from arena.selectors.ballots import VoteTable
from ranking.filters import ExclusionReason, FilterSet, apply_filters
from ranking.models import Board
from ranking.types import Criterion

N, MODELS = 80, ("x", "y", "z", "w")


def votes(reasons: list[int], seed: int) -> Votes:
    """As many votes as there are reasons, which are no votes of the database."""
    rng = np.random.default_rng(seed)
    n = len(reasons)
    a = rng.integers(0, 3, n).astype(np.int32)  # nobody met the fourth
    table = VoteTable(
        models=MODELS,
        a=a,
        b=(a + rng.integers(1, 3, n).astype(np.int32)) % np.int32(3),
        outcomes={criterion: rng.integers(0, 4, n).astype(np.int8) for criterion in Criterion},
        user=rng.integers(0, 9, n),
        participants=(),
        reasons=np.array(reasons, dtype=np.uint16),
        levels=np.full(n, ""),
        educations=np.full(n, ""),
        checks=np.full(n, -1, dtype=np.int32),
        seconds=np.zeros(n),
        prompt_chars=np.ones(n, dtype=np.int64),
        turns=np.ones(n, dtype=np.int64),
        prompts=np.arange(n),
        battles=np.zeros(n, dtype="V16"),
        origins=np.zeros(n, dtype="V16"),
    )
    left = apply_filters(table.reasons, FilterSet.strictest())
    return Votes(Board(slug="b"), {}, timezone.now(), table, left)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 2 ** len(ExclusionReason) - 1), min_size=1, max_size=N),
    st.frozensets(st.sampled_from(list(ExclusionReason))),
    st.sampled_from(list(Criterion)),
    st.integers(0, 99),
)
def test_any_filters_board_is_that_of_the_votes_themselves(
    reasons: list[int], excluding: frozenset[ExclusionReason], criterion: Criterion, seed: int
) -> None:
    material, filters = votes(reasons, seed), FilterSet(excluding)
    mixes = Mixes.of(compute(material, criterion))
    left = apply_filters(material.table.reasons, filters)
    assert mixes.tally(filters).models == MODELS
    assert mixes.tally(filters).equals(material.table.ballots(criterion, left.counted).tally())
    assert (mixes.n_votes, mixes.n_counted(filters)) == (left.n_votes, left.n_counted)
    assert mixes.reasons(filters) == left.reasons


def test_what_is_stored_grows_with_mixes_and_pairs_not_with_votes() -> None:
    few = [0, ExclusionReason.RATE.bit, ExclusionReason.RATE.bit | ExclusionReason.GUEST.bit] * 200
    stored = [compute(votes(few * times, 5), Criterion.OVERALL) for times in (1, 10)]
    assert [len(each.table("mixes").rows) for each in stored] == [3, 3]
    assert [len(each.table("cells").rows) for each in stored] == [3 * 6, 3 * 6]


def test_no_votes_are_nothing() -> None:
    assert compute(votes([], 1), Criterion.OVERALL).is_empty


@pytest.mark.parametrize("reason", [ExclusionReason.RATE, ExclusionReason.GUEST])
def test_votes_of_one_reason_alone_are_compared_with_those_that_count(reason: ExclusionReason) -> None:
    numbers = compute(votes([0] * 300 + [reason.bit] * 150, 2), Criterion.OVERALL)
    statuses = {row[0]: row[1] for row in numbers.table("compared").rows}
    assert statuses[reason.value] == "told"
    assert {status for each, status in statuses.items() if each != reason.value} == {"none"}
    assert {row[0] for row in numbers.table("added").rows} == {reason.value}
    assert sum(int(row[2] or 0) for row in numbers.table("added").rows) == 2 * 150
