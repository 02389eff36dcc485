"""What can be said of a vote from its battle alone: rules on texts and times, each of which names a reason. No database.

A rule that cannot tell says nothing: a vote is excluded for what was seen, never for what could not be checked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta


def is_too_fast(taken: timedelta, *, least: timedelta) -> bool:
    """Whether a vote came sooner after the last answer than a person reads."""
    return taken < least


def same_words(first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether two chats ask the same, case, spacing and punctuation aside."""
    return [_words(text) for text in first] == [_words(text) for text in second]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
