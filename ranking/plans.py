"""A plan: the effort that a goal still asks for, and what that number rests on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import ceil, isfinite

from ranking.goals import Goal

PUBLISHED_VOTES = 12_890
PUBLISHED_PARTICIPANTS = 1_285
ASSUMED_MINUTES_A_BATTLE = 3.0
"""An assumption: the published campaign of 2025 tells votes and people, not how long a battle took."""


class Basis(StrEnum):
    """What a plan starts from."""

    FIT = "fit"
    FIT_AND_PRIOR = (
        "fit_and_prior"  # some models have no rating: they are taken to be spread as the rated ones are
    )
    EVEN_PRIOR = "even_prior"  # nobody has a rating: all are taken to be as good


class PlanStatus(StrEnum):
    REACHED = "reached"
    PLANNED = "planned"
    BEYOND_HORIZON = "beyond_horizon"
    TOO_FEW_MODELS = "too_few_models"
    NO_ORDER = "no_order"  # a goal about who is better, of models that nothing tells apart


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast volunteers work.

    Parameters
    ----------
    battles_a_volunteer
        Judged battles a person gives, above 0: by default 12,890 / 1,285, as in the published campaign of 2025.
    minutes_a_battle
        Above 0; ``ASSUMED_MINUTES_A_BATTLE`` if left out, and the plan says so.
    """

    battles_a_volunteer: float = PUBLISHED_VOTES / PUBLISHED_PARTICIPANTS
    minutes_a_battle: float | None = None

    def __post_init__(self) -> None:
        for each in (self.battles_a_volunteer, self.minutes):
            if not (each > 0 and isfinite(each)):
                raise ValueError("battles and minutes are positive numbers")

    @property
    def minutes(self) -> float:
        return ASSUMED_MINUTES_A_BATTLE if self.minutes_a_battle is None else self.minutes_a_battle

    @property
    def is_assumed(self) -> bool:
        return self.minutes_a_battle is None


PUBLISHED_PACE = Pace()


@dataclass(frozen=True, slots=True)
class Effort:
    """Further votes, and what they take: people, and their hours taken together."""

    votes: int
    volunteers: int
    hours: float

    @classmethod
    def of(cls, votes: float, pace: Pace) -> Effort | None:
        """Rounded up to whole votes and people; ``None`` for infinitely many."""
        if not isfinite(votes):
            return None
        whole = ceil(votes)
        return cls(whole, ceil(whole / pace.battles_a_volunteer), whole * pace.minutes / 60)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is still needed.

    Parameters
    ----------
    goal, policy, pace
        What was asked for; the policy by its name.
    status
        Whether there is a number, or why not.
    basis
        What was known at the start.
    low, middle, high
        Enough in 10, 50 and 90 % of the repetitions; ``None`` beyond the horizon and where nothing can be said.
    reached_share
        The share of the repetitions that came to the goal before the horizon.
    repetitions, seed
        Of the simulation; the same give the same plan.
    """

    goal: Goal
    policy: str
    pace: Pace
    status: PlanStatus
    basis: Basis
    low: Effort | None
    middle: Effort | None
    high: Effort | None
    reached_share: float
    repetitions: int
    seed: int
