"""A long text in pieces that a model translates well; code and white space stay out of its hands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from training.data.prose import FENCE, letters

# where to break a text that is too long, best place first; each break belongs to what stands before it
_BREAKS = tuple(map(re.compile, (r"\n[ \t]*\n\s*", r"\n", r"(?<=[.!?])[ \t]+", r"[ \t]+")))


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text.

    Parameters
    ----------
    prose
        Whether it is to be translated; otherwise it stays as it is.
    """

    text: str
    prose: bool


def pieces(text: str, *, most_chars: int) -> list[Piece]:
    """The parts of *text* in their order, which joined give it back; those to translate have at most *most_chars* characters.

    Fenced code, white space at the ends of a part, and parts without a letter are not to be translated.
    """
    found: list[Piece] = []
    end = 0
    for fence in FENCE.finditer(text):
        found += _of_prose(text[end : fence.start()], most_chars)
        found.append(Piece(fence.group(), prose=False))
        end = fence.end()
    return found + _of_prose(text[end:], most_chars)


def _of_prose(text: str, most_chars: int) -> list[Piece]:
    return [piece for part in _parts(text, most_chars) for piece in _trimmed(part)]


def _trimmed(part: str) -> Iterator[Piece]:
    core = part.strip()
    if not letters(core):
        yield Piece(part, prose=False)
        return
    start = part.index(core)
    for text, prose in ((part[:start], False), (core, True), (part[start + len(core) :], False)):
        if text:
            yield Piece(text, prose)


def _parts(text: str, most_chars: int, level: int = 0) -> list[str]:
    """The text in as few parts as breaks of this level allow, those that are still too long broken at the next one."""
    if len(text.strip()) <= most_chars:
        return [text] if text else []
    if level == len(_BREAKS):
        return [text[start : start + most_chars] for start in range(0, len(text), most_chars)]
    ends = [match.end() for match in _BREAKS[level].finditer(text)]
    small = [
        text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True) if start < end
    ]
    return [part for joined in _joined(small, most_chars) for part in _parts(joined, most_chars, level + 1)]


def _joined(parts: list[str], most_chars: int) -> Iterator[str]:
    held = ""
    for part in parts:
        if held and len((held + part).strip()) > most_chars:
            yield held
            held = ""
        held += part
    if held:
        yield held
