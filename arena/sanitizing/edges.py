"""What detectors share: where a word begins and ends, Basque case endings, and what stands in the place of what was found before.

All detectors hold to one rule, so that what was sanitized holds nothing more to find: whether something *is found* rests on itself, on what it touches and on
the words before it, which end where something was found before; only whether it is *certain* may look further. Repetitions are bounded, so that time is linear.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from arena.sanitizing.types import Found

FILLER = "\ufffc"
"""In place of each character that was found: it is part of nothing, and whatever touches it is no whole word."""

Detector = Callable[[str], Iterator[Found]]

START = rf"(?<![\w{FILLER}])"
_ENDINGS = (
    r"(?:a|ak|ari|aren|arekin|e?k|e?r?i|e?z|r?e?kin|r?en(?:a|ak|ek|tzat|tzako|gatik|gan|gandik|gana)?|[et]?(?:tik|dik)|e?ra(?:ko|koa|ino|ntz)?"
    r"|[et]?[kg]o(?:a|ak|ek|ari|rekin|en)?|e?an|n|tzat|r?ik)"
)
END = rf"(?=(?:[-'’]?{_ENDINGS})?(?![\w{FILLER}]))"
"""The end of a word, or a Basque ending and then the end: the ending stays in the text."""

_CONTEXT = 40
"""So many characters before something are asked what it is."""


def every(
    pattern: re.Pattern[str], text: str, judge: Callable[[re.Match[str]], Found | None]
) -> Iterator[Found]:
    """What *judge* makes of each match; behind one that it refuses, the next may begin a character later."""
    at = 0
    while match := pattern.search(text, at):
        found = judge(match)
        if found is None:
            at = match.start() + 1
        else:
            yield found
            at = found.end


def speaks_of(pattern: re.Pattern[str], text: str, at: int) -> bool:
    """Whether the words before *at* say that something of the kind follows."""
    before = text[max(0, at - _CONTEXT) : at]
    return bool(pattern.search(before, before.rfind(FILLER) + 1))


def masked(text: str, found: list[Found]) -> str:
    """The text with what was found filled over."""
    parts, at = [], 0
    for each in found:
        parts += [text[at : each.start], FILLER * (each.end - each.start)]
        at = each.end
    return "".join([*parts, text[at:]])
