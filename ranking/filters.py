"""Which votes a board counts: reasons against a vote, and the filter that says which of them exclude it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ranking.errors import BadInput

Mask = NDArray[np.bool_]
Reasons = NDArray[np.uint16]

_NOTHING = "none"
_SEPARATOR = "."  # stands in a URL as it is


class ExclusionReason(StrEnum):
    """Why a vote may not count. The order is that of the bits, so a new reason goes to the end."""

    TOO_FAST = "too_fast"
    IDENTITY_LEAK = "identity_leak"
    WRONG_LANGUAGE = "wrong_language"
    FAILED_CONTROL = "failed_control"
    DUPLICATE_PROMPT = "duplicate_prompt"
    RATE = "rate"
    FLAGGED_USER = "flagged_user"
    WITHDRAWN = "withdrawn"
    GUEST = "guest"
    HELD = "held"
    MODERATED = "moderated"
    REJUDGED = "rejudged"
    PROMPT_SET = "prompt_set"

    @property
    def bit(self) -> int:
        """The reason's bit in a mask of reasons."""
        return 1 << _PLACE[self]


_PLACE = {reason: place for place, reason in enumerate(ExclusionReason)}


def mask_of(reasons: Iterable[ExclusionReason]) -> int:
    """The bits of *reasons*, in any order and as often as they come."""
    mask = 0
    for reason in reasons:
        mask |= reason.bit
    return mask


def reasons_of(mask: int) -> frozenset[ExclusionReason]:
    """The reasons in a mask. ``ValueError`` for a bit that has none."""
    if not 0 <= mask < 1 << len(ExclusionReason):
        raise ValueError(f"{mask} has a bit without a reason")
    return frozenset(reason for reason in ExclusionReason if mask & reason.bit)


@dataclass(frozen=True, slots=True)
class FilterSet:
    """Which reasons exclude a vote.

    Parameters
    ----------
    excluding
        A vote with any of these does not count.

    Notes
    -----
    ``str()`` gives the one canonical form, for URLs and snapshots: the reasons in the order of the enum, joined by full stops, or ``none``.
    """

    excluding: frozenset[ExclusionReason]

    @classmethod
    def strictest(cls) -> Self:
        """Every reason excludes."""
        return cls(frozenset(ExclusionReason))

    @classmethod
    def parse(cls, written: str) -> Self:
        """Read what ``str()`` wrote; the order of the reasons does not matter.

        Raises ``BadInput`` for an unknown reason, a repeated one, or an empty text.
        """
        if written == _NOTHING:
            return cls(frozenset())
        words = written.split(_SEPARATOR)
        for word in words:
            if word not in set(ExclusionReason):
                raise BadInput(f"{word[:40]!r} is no reason: {', '.join(ExclusionReason)} or {_NOTHING}")
        if len(set(words)) < len(words):
            raise BadInput("a reason is given twice")
        return cls(frozenset(ExclusionReason(word) for word in words))

    def admitting(self, *reasons: ExclusionReason) -> Self:
        """The same filter with *reasons* no longer excluding."""
        return type(self)(self.excluding - set(reasons))

    def __str__(self) -> str:
        return _SEPARATOR.join(reason for reason in ExclusionReason if reason in self.excluding) or _NOTHING


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """What a filter does with the votes that have one reason.

    Parameters
    ----------
    reason
        The reason.
    excludes
        Whether the filter lets it exclude.
    votes
        Votes that have it.
    only
        Votes excluded by it alone: what admitting it would add. 0 where it does not exclude.
    admitted
        Votes that have it and count all the same. 0 where it excludes.
    """

    reason: ExclusionReason
    excludes: bool
    votes: int
    only: int
    admitted: int


@dataclass(frozen=True, slots=True, eq=False)
class Filtered:
    """What a filter left.

    Parameters
    ----------
    counted
        Shape ``(n,)``: the votes that count.
    n_votes, n_counted, n_excluded
        All votes, and those that count or do not; the two add up to all.
    n_overlapping
        Votes excluded by two reasons or more; with the *only* of all reasons they add up to *n_excluded*.
    reasons
        One entry a reason, in the order of the enum.
    """

    counted: Mask
    n_votes: int
    n_counted: int
    n_excluded: int
    n_overlapping: int
    reasons: tuple[ReasonCount, ...]


def apply_filters(reasons: Reasons, filters: FilterSet) -> Filtered:
    """Say which votes count, and of those that do not, why.

    Parameters
    ----------
    reasons
        Shape ``(n,)``: each vote's reasons, as :func:`mask_of` writes them.
    filters
        Which of them exclude.

    Raises
    ------
    ValueError
        If a mask has a bit without a reason.
    """
    if len(reasons) and int(reasons.max()) >= 1 << len(ExclusionReason):
        raise ValueError(f"{int(reasons.max())} has a bit without a reason")
    against = reasons & np.uint16(mask_of(filters.excluding))
    counted = against == 0
    alone = ~counted & ((against & (against - np.uint16(1))) == 0)  # a power of two has one bit
    counts = []
    for reason in ExclusionReason:
        has = (reasons & np.uint16(reason.bit)) != 0
        counts.append(
            ReasonCount(
                reason=reason,
                excludes=reason in filters.excluding,
                votes=int(has.sum()),
                only=int((alone & (against == reason.bit)).sum()),
                admitted=int((has & counted).sum()),
            )
        )
    n_counted, n_alone = int(counted.sum()), int(alone.sum())
    return Filtered(
        counted=counted,
        n_votes=len(reasons),
        n_counted=n_counted,
        n_excluded=len(reasons) - n_counted,
        n_overlapping=len(reasons) - n_counted - n_alone,
        reasons=tuple(counts),
    )
