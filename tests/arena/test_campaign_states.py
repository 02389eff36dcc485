"""A campaign's life: by moves of staff and by its dates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.campaign_states import VOTES_AFTER, CampaignMove, after, overlap, phase, takes_votes
from arena.errors import IllegalMove
from arena.types import CampaignPhase, CampaignStatus

NOW = datetime(2026, 3, 19, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
moments = st.integers(-50, 50).map(lambda hours: NOW + hours * HOUR)
ends = st.none() | moments


@given(st.lists(st.sampled_from(CampaignMove), max_size=12))
def test_what_is_closed_stays_closed_and_nothing_is_in_preparation_again(moves: list[CampaignMove]) -> None:
    status, past = CampaignStatus.DRAFT, [CampaignStatus.DRAFT]
    for move in moves:
        try:
            status = after(status, move)
        except IllegalMove:
            continue
        assert past[-1] is not CampaignStatus.CLOSED
        past.append(status)
    assert CampaignStatus.DRAFT not in past[1:]


@given(st.sampled_from(CampaignStatus), ends, ends, moments, moments)
def test_phases_follow_each_other_in_time(
    status: CampaignStatus, opens: datetime | None, closes: datetime | None, one: datetime, other: datetime
) -> None:
    """Later, a campaign is never in an earlier phase."""
    order = [CampaignPhase.COMING, CampaignPhase.RUNNING, CampaignPhase.OVER]
    first, then = (phase(status, opens_at=opens, closes_at=closes, now=at) for at in sorted((one, other)))
    if status is CampaignStatus.OPEN:
        assert order.index(first) <= order.index(then)
    else:
        assert CampaignPhase.RUNNING not in {first, then}


def test_a_campaign_runs_from_its_first_moment_until_before_its_last() -> None:
    def at(now: datetime) -> CampaignPhase:
        return phase(CampaignStatus.OPEN, opens_at=NOW, closes_at=NOW + HOUR, now=now)

    moment = timedelta(microseconds=1)
    assert [at(NOW - moment), at(NOW), at(NOW + HOUR - moment), at(NOW + HOUR)] == [
        CampaignPhase.COMING,
        CampaignPhase.RUNNING,
        CampaignPhase.RUNNING,
        CampaignPhase.OVER,
    ]


@pytest.mark.parametrize(
    ("now", "taken"), [(NOW - HOUR, True), (NOW, True), (NOW + VOTES_AFTER, False)], ids=str
)
def test_votes_are_taken_for_a_while_after_the_end(now: datetime, taken: bool) -> None:
    found = phase(CampaignStatus.OPEN, opens_at=None, closes_at=NOW, now=now)
    assert takes_votes(found, closes_at=NOW, now=now) is taken


@given(st.tuples(moments, moments).map(sorted), st.tuples(moments, moments).map(sorted), moments)
def test_spans_overlap_where_they_share_a_moment(
    a: list[datetime], b: list[datetime], moment: datetime
) -> None:
    spans = (a[0], a[1]), (b[0], b[1])
    assert overlap(*spans) == overlap(*reversed(spans))
    if all(begin <= moment < end for begin, end in spans):
        assert overlap(*spans)
    if a[1] <= b[0] or b[1] <= a[0]:
        assert not overlap(*spans)
    assert overlap((None, None), (b[0], b[1]))
