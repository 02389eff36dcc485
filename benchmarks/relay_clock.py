"""When each token was sent: an array in a file that the fake server writes and the load generator reads, both on the machine's monotonic clock."""

from __future__ import annotations

import mmap
from pathlib import Path

STREAMS = 16_384
"""Streams whose times are kept; the next one takes the place of the first."""


class SendTimes:
    """Monotonic seconds by stream and token; a sparse file, so only what is written takes room."""

    def __init__(self, path: Path, tokens: int) -> None:
        self._tokens = tokens
        with path.open("a+b") as file:
            file.truncate(8 * STREAMS * tokens)
            self._times = memoryview(mmap.mmap(file.fileno(), 0)).cast("d")

    def note(self, stream: int, token: int, at: float) -> None:
        self._times[stream % STREAMS * self._tokens + token] = at

    def of(self, stream: int, token: int) -> float:
        return self._times[stream % STREAMS * self._tokens + token]
