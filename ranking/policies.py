"""Sampling policies: a few parameters, and a name short enough to be stored beside each battle."""

from __future__ import annotations

import re
from dataclasses import dataclass

NAME_MAX_CHARS = 32
MOST_FOR_NEWCOMERS = 0.5
DEFAULT_POLICY = "balanced-2"

_SHARE = r"(0|1|0\.[0-9]{1,2})"
_WRITTEN = re.compile(rf"mixed-1\(f={_SHARE},n={_SHARE},d={_SHARE}\)")


@dataclass(frozen=True, slots=True)
class SamplingPolicy:
    """How the pairs of a campaign are drawn. What remains after the three shares is balanced: pairs that met less come first.

    Parameters
    ----------
    floor
        The share drawn uniformly, so that a pair of *P* keeps at least ``floor / P``.
    newcomer
        The share of the rest that goes to battles of newcomers, while there are any; at most one half.
    duel
        The share of what is then left for neighbours in rank whose order is open, while there are any.

    Raises
    ------
    ValueError
        If a share is not a probability of at most two decimals, newcomers have more than half, or pairs are preferred without a floor.

    Notes
    -----
    All else that matters to a draw (who is new, what a volunteer's memory weighs) belongs to the version in the name: see :mod:`ranking.pairing`.
    """

    floor: float = 0.1
    newcomer: float = 0.5
    duel: float = 0.0

    def __post_init__(self) -> None:
        for share in (self.floor, self.newcomer, self.duel):
            if not (0 <= share <= 1 and round(share, 2) == share):
                raise ValueError(f"{share!r} is not a share between 0 and 1 with at most two decimals")
        if self.newcomer > MOST_FOR_NEWCOMERS:
            raise ValueError("newcomers can have half of the battles, not more")
        if not self.floor and (self.newcomer or self.duel):
            raise ValueError("a policy that prefers some pairs needs a floor for the others")

    @property
    def name(self) -> str:
        """The canonical name, at most :data:`NAME_MAX_CHARS` characters: a preset's, or the parameters written out."""
        preset = next((name for name, policy in PRESETS.items() if policy == self), None)
        return preset or f"mixed-1(f={self.floor:g},n={self.newcomer:g},d={self.duel:g})"


PRESETS = {
    "uniform": SamplingPolicy(floor=1.0, newcomer=0.0),
    "balanced": SamplingPolicy(floor=0.0, newcomer=0.0),
    DEFAULT_POLICY: SamplingPolicy(),
}
"""Policies that have a name of their own."""


def named_policy(name: str) -> SamplingPolicy:
    """The policy of a name: a preset's, or as in ``mixed-1(f=0.1,n=0.5,d=0.1)`` for floor, newcomer and duel.

    Raises
    ------
    ValueError
        If no policy is called that, or its parameters are none.
    """
    if name in PRESETS:
        return PRESETS[name]
    written = _WRITTEN.fullmatch(name)
    if written is None:
        raise ValueError(
            f"no sampling policy is called {name!r}; there are {', '.join(PRESETS)} and mixed-1(f=,n=,d=)"
        )
    return SamplingPolicy(*map(float, written.groups()))
