"""When the next sign of life is due."""

from __future__ import annotations

import asyncio

from inference.types import Deadlines


class Clock:
    """The deadlines of one stream.

    The first text, be it answer or hidden reasoning, is due ``first_token_s`` after the start, each further one ``between_tokens_s`` after the last, and
    all of it ends at ``total_s``. So a model that thinks aloud stays alive for as long as it goes on thinking, up to the total; comments, pings
    and the role are no text and move nothing.

    No timer runs while the reader has the turn: one that fired there would cancel the reader. Nor does the reader's time count.
    """

    def __init__(self, deadlines: Deadlines) -> None:
        self._time = asyncio.get_running_loop().time
        self._between_s = deadlines.between_tokens_s
        self._end = self._time() + deadlines.total_s
        self._due = self._time() + deadlines.first_token_s

    def heard(self) -> None:
        """A text has come, and has been dealt with."""
        self._due = self._time() + self._between_s

    def waiting(self) -> asyncio.Timeout:
        """Around each wait for the server; ends it with :class:`TimeoutError`."""
        return asyncio.timeout_at(min(self._end, self._due))
