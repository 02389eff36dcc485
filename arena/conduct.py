"""How a page behaves on its line, judged in memory: nothing here waits, and nothing touches the database."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

FRAMES_A_SECOND = 2.0
FRAMES_AT_ONCE = 20
"""A page sends a few frames a minute; a reconnect or an impatient finger a few a second."""
MOST_STRIKES = 5
"""Frames that no page of ours sends, or that come too fast, before the socket is closed."""


class Conduct:
    """What one socket sends: at what pace, and how much of it no page of ours would send."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._left = float(FRAMES_AT_ONCE)
        self._at = now()
        self._strikes = 0

    def may_send(self) -> bool:
        """Count a frame; whether it keeps the pace."""
        now = self._now()
        self._left = min(FRAMES_AT_ONCE, self._left + (now - self._at) * FRAMES_A_SECOND)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def is_enough(self) -> bool:
        """Count a strike; whether it is the last one that is borne."""
        self._strikes += 1
        return self._strikes >= MOST_STRIKES


class Crowd:
    """How many lines are open in this process, by whom and from where."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    def enter(self, limits: dict[str, int]) -> bool:
        """Count one more line for each of these, unless one of them has as many as it may have."""
        if any(self._open[who] >= most for who, most in limits.items()):
            return False
        self._open.update(limits.keys())
        return True

    def leave(self, limits: dict[str, int]) -> None:
        for who in limits:
            self._open[who] -= 1
            if self._open[who] <= 0:
                del self._open[who]


crowd = Crowd()
