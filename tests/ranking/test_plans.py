from __future__ import annotations

import pytest

from ranking.plans import ASSUMED_MINUTES_A_BATTLE, Effort, Pace


def test_by_default_people_work_as_in_the_published_campaign_and_minutes_are_assumed() -> None:
    pace = Pace()
    assert pace.battles_a_volunteer == pytest.approx(10.03, abs=0.01)
    assert pace.is_assumed
    assert pace.minutes == ASSUMED_MINUTES_A_BATTLE
    assert not Pace(minutes_a_battle=ASSUMED_MINUTES_A_BATTLE).is_assumed


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_a_pace_is_positive(rate: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        Pace(battles_a_volunteer=rate)
    with pytest.raises(ValueError, match="positive"):
        Pace(minutes_a_battle=rate)


@pytest.mark.parametrize(
    ("votes", "effort"),
    [
        (0.0, Effort(votes=0, volunteers=0, hours=0.0)),
        (0.2, Effort(votes=1, volunteers=1, hours=0.1)),
        (20.0, Effort(votes=20, volunteers=1, hours=2.0)),
        (20.01, Effort(votes=21, volunteers=2, hours=2.1)),
    ],
)
def test_votes_and_people_are_whole_and_hours_are_everybodys(votes: float, effort: Effort) -> None:
    found = Effort.of(votes, Pace(battles_a_volunteer=20, minutes_a_battle=6))
    assert found is not None
    assert (found.votes, found.volunteers) == (effort.votes, effort.volunteers)
    assert found.hours == pytest.approx(effort.hours)


def test_endless_votes_are_no_effort() -> None:
    assert Effort.of(float("inf"), Pace()) is None
