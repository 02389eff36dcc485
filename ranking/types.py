"""The words of a ranking."""

from __future__ import annotations

from enum import StrEnum

MODEL_NAME_MAX_CHARS = 120
BENCHMARK_NAME_MAX_CHARS = 120


class Criterion(StrEnum):
    OVERALL = "overall"
    CONTENT = "content"
    LANGUAGE = "language"


class Outcome(StrEnum):
    """How a judgement came out. The order is the last axis of a tally's counts."""

    A_BETTER = "a_better"
    B_BETTER = "b_better"
    TIE = "tie"
    BOTH_BAD = "both_bad"

    @property
    def place(self) -> int:
        """Where the outcome stands on the last axis of a tally's counts, 0 to 3."""
        return _ORDER[self]


_ORDER = {outcome: place for place, outcome in enumerate(Outcome)}


class TieRule(StrEnum):
    """How ties enter the fit. Ratings under different rules are on different scales.

    ``HALF``: half a win for each side. ``RAO_KUPPER``: an outcome of its own, whose share a fitted threshold sets (:mod:`ranking.rao_kupper`).
    ``DROP``: not at all. Both kinds of tie count alike.
    """

    HALF = "half"
    RAO_KUPPER = "rao-kupper"
    DROP = "drop"


POINT_RULES = (TieRule.HALF, TieRule.DROP)
"""The rules under which a tie is some share of a win, so that a matrix of points says all."""


class Status(StrEnum):
    """What a board or a row can say. Ratings stand only where it is ``ok`` or ``provisional``."""

    OK = "ok"
    PROVISIONAL = "provisional"
    INSUFFICIENT = "insufficient"
    DISCONNECTED = "disconnected"
    UNBOUNDED = "unbounded"
    EMPTY = "empty"

    @property
    def has_rating(self) -> bool:
        return self in {Status.OK, Status.PROVISIONAL}


class BoardKind(StrEnum):
    LIVE = "live"
    IMPORTED = "imported"
