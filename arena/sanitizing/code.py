"""Where a text is code or the address of a page: what looks like a handle or a telephone there seldom is one."""

from __future__ import annotations

import re
from bisect import bisect_right

from arena.sanitizing.types import Span

_FENCE = "```"
_INLINE = re.compile(r"`[^`\n]{1,300}+`|\bhttps?://[^\s<>\"]{1,2000}+")


def spared(text: str) -> list[Span]:
    """Fenced blocks, code in a line and addresses of pages, in order. An unclosed fence runs to the end."""
    areas: list[Span] = []
    at = 0
    while at < len(text):
        opened = text.find(_FENCE, at)
        prose_ends = opened if opened >= 0 else len(text)
        areas += [each.span() for each in _INLINE.finditer(text, at, prose_ends)]
        if opened < 0:
            break
        closed = text.find(_FENCE, opened + len(_FENCE))
        at = closed + len(_FENCE) if closed >= 0 else len(text)
        areas.append((opened, at))
    return areas


def inside(areas: list[Span], at: int) -> bool:
    place = bisect_right(areas, (at, len(areas) and areas[-1][1])) - 1
    return place >= 0 and areas[place][0] <= at < areas[place][1]
