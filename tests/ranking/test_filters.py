from __future__ import annotations

from urllib.parse import quote

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking.errors import BadInput
from ranking.filters import ExclusionReason, FilterSet, apply_filters, mask_of, reasons_of

reason_sets = st.frozensets(st.sampled_from(ExclusionReason))
filter_sets = reason_sets.map(FilterSet)
vote_lists = st.lists(reason_sets, max_size=40)

FAST, LEAK, GUEST = ExclusionReason.TOO_FAST, ExclusionReason.IDENTITY_LEAK, ExclusionReason.GUEST


def masks(votes: list[frozenset[ExclusionReason]]) -> np.ndarray:
    return np.array([mask_of(reasons) for reasons in votes], dtype=np.uint16)


@given(reason_sets)
def test_a_mask_gives_its_reasons_back(reasons: frozenset[ExclusionReason]) -> None:
    assert reasons_of(mask_of(reasons)) == reasons
    assert mask_of([*reasons, *reasons]) == mask_of(reasons) <= np.iinfo(np.uint16).max


def test_bits_are_fixed_since_stored_votes_hold_them() -> None:
    assert {reason.value: reason.bit for reason in ExclusionReason} == {
        "too_fast": 1,
        "identity_leak": 2,
        "wrong_language": 4,
        "failed_control": 8,
        "duplicate_prompt": 16,
        "rate": 32,
        "flagged_user": 64,
        "withdrawn": 128,
        "guest": 256,
        "held": 512,
        "moderated": 1024,
        "rejudged": 2048,
        "prompt_set": 4096,
    }


@pytest.mark.parametrize("mask", [8192, 65535, -1])
def test_a_bit_without_a_reason_is_refused(mask: int) -> None:
    with pytest.raises(ValueError, match="without a reason"):
        reasons_of(mask)
    if mask > 0:
        with pytest.raises(ValueError, match="without a reason"):
            apply_filters(np.array([0, mask], dtype=np.uint16), FilterSet.strictest())


@given(filter_sets, st.randoms(use_true_random=False))
def test_a_filter_reads_back_from_what_it_writes_in_any_order(filters: FilterSet, rng: object) -> None:
    written = str(filters)
    assert FilterSet.parse(written) == filters
    words = written.split(".")
    getattr(rng, "shuffle")(words)  # noqa: B009  # hypothesis' own class has no stub
    assert str(FilterSet.parse(".".join(words))) == written


@given(filter_sets)
def test_a_filter_stands_in_a_url_as_it_is(filters: FilterSet) -> None:
    assert quote(str(filters), safe="") == str(filters)


def test_filters_are_written_in_the_order_of_the_reasons() -> None:
    assert str(FilterSet(frozenset({GUEST, FAST}))) == "too_fast.guest"
    assert str(FilterSet(frozenset())) == "none"
    assert str(FilterSet.strictest()).split(".") == list(ExclusionReason)


@pytest.mark.parametrize(
    "written", ["", ".", "guest.", "guest.guest", "Guest", "none.guest", "guest,rate", " none", "x" * 500]
)
def test_what_is_no_filter_is_refused(written: str) -> None:
    with pytest.raises(BadInput) as caught:
        FilterSet.parse(written)
    assert len(str(caught.value)) < 300


@given(vote_lists, filter_sets)
def test_a_vote_counts_exactly_if_it_has_no_excluding_reason(
    votes: list[frozenset[ExclusionReason]], filters: FilterSet
) -> None:
    counted = apply_filters(masks(votes), filters).counted
    assert counted.tolist() == [not reasons & filters.excluding for reasons in votes]


@given(vote_lists, filter_sets)
def test_the_shown_counts_add_up_to_all_votes(
    votes: list[frozenset[ExclusionReason]], filters: FilterSet
) -> None:
    found = apply_filters(masks(votes), filters)
    assert found.n_votes == len(votes)
    assert found.n_counted + sum(each.only for each in found.reasons) + found.n_overlapping == len(votes)
    assert found.n_counted + found.n_excluded == len(votes)
    assert [each.reason for each in found.reasons] == list(ExclusionReason)
    for each in found.reasons:
        assert each.votes == sum(each.reason in reasons for reasons in votes)
        assert each.excludes == (each.reason in filters.excluding)
        assert each.admitted == 0 if each.excludes else each.only == 0


@given(vote_lists, filter_sets)
def test_admitting_a_reason_adds_what_it_alone_excluded(
    votes: list[frozenset[ExclusionReason]], filters: FilterSet
) -> None:
    before = apply_filters(masks(votes), filters)
    for each in before.reasons:
        after = apply_filters(masks(votes), filters.admitting(each.reason))
        assert after.n_counted == before.n_counted + each.only
        assert (after.counted | ~before.counted).all()


def test_overlaps_are_shown_and_what_is_admitted_is_named() -> None:
    votes = [
        frozenset({FAST}),
        frozenset({FAST, LEAK}),
        frozenset({GUEST}),
        frozenset({GUEST, FAST}),
        frozenset(),
    ]
    found = apply_filters(masks(votes), FilterSet.strictest().admitting(GUEST))
    shown = {each.reason: (each.excludes, each.votes, each.only, each.admitted) for each in found.reasons}
    assert shown[FAST] == (True, 3, 2, 0)
    assert shown[LEAK] == (True, 1, 0, 0)
    assert shown[GUEST] == (False, 2, 0, 1)
    assert (found.n_counted, found.n_excluded, found.n_overlapping) == (2, 3, 1)


def test_no_votes_and_no_filter_are_no_special_case() -> None:
    assert apply_filters(masks([]), FilterSet.strictest()).n_votes == 0
    everything = apply_filters(masks([frozenset(ExclusionReason)]), FilterSet(frozenset()))
    assert everything.counted.tolist() == [True]
    assert all(each.admitted == 1 for each in everything.reasons)
