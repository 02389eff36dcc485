"""What volunteers were told while the site was broken around them: the side of the truth that the database is held against."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from arena.types import Side
from tests.arena.turns import PageSide


@dataclass(frozen=True)
class Acknowledged:
    """A vote that was answered with its reveal."""

    battle: str
    content: str
    language: str


@dataclass(frozen=True)
class Shown:
    """What a page held of a turn when it was told that both sides are complete."""

    battle: str
    turn: int
    panes: dict[Side, PageSide]


@dataclass(frozen=True)
class Success:
    at: float
    kind: str
    web: str


@dataclass
class Ledger:
    """Written by the volunteers' thread, read by the test's."""

    votes: list[Acknowledged] = field(default_factory=list)
    turns: dict[str, str] = field(default_factory=dict)
    shown: list[Shown] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    """How requests ended, by status or by the error of the connection; frames of failure by their code."""
    successes: list[Success] = field(default_factory=list)
    _new: threading.Condition = field(default_factory=threading.Condition)

    def succeed(self, kind: str, web: str) -> None:
        with self._new:
            self.successes.append(Success(time.monotonic(), kind, web))
            self._new.notify_all()

    def first(self, kind: str, since: float, web: str = "", *, patience_s: float = 120) -> float:
        """Seconds from *since*, of the monotonic clock, to the first such success, through that process where one is named; waits for it."""

        def found() -> Success | None:
            later = (each for each in self.successes if each.at >= since and each.kind == kind)
            return next((each for each in later if web in {"", each.web}), None)

        with self._new:
            assert self._new.wait_for(found, patience_s), (
                f"no {kind} through {web or 'anybody'}: {self.answers}"
            )
            one = found()
        assert one is not None
        return one.at - since
