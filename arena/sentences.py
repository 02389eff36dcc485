"""An answer's sentences, as spans of its stored text.

Offsets count code points, as Python does. Line breaks end a sentence, so that list items, headings and rows stand alone; inside a line one ends at ``.``,
``!``, ``?`` or an ellipsis with what closes it, where white space follows. Ordinals ("3. maila"), abbreviations ("adib.", "K.a.") and single
initials end none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_WORDS = """
    adb adib al and art art.k bl dk dr dra ed eg esp etc fig fr gutx ibid id it jk jn jr kap kg kgl km min mr mrs ms or orr p prof sr sra st tel tlf us vs
    zb zenb k.a k.o m.o a.m p.m e.a h.d h.a i.e e.g op.cit
"""
ABBREVIATIONS = frozenset(_WORDS.split())
"""Written small and without the last stop. *etab.* is left out: it mostly ends a sentence."""

_END = re.compile(r"(?P<stop>[.!?…]+)[\"'”’»)\]*_`]*(?=\s)")
_WORD = re.compile(r"[^\s(\[«“\"'*_]+$")
_ORDINAL = re.compile(r"\d+|[IVXLC]+")
_MARKER = re.compile(r"[ \t]*(?:[-*+>]|#+|\d+[.)]|[a-z]\))[ \t]+")


@dataclass(frozen=True, slots=True)
class Span:
    """``text[start:end]``; neither begins nor ends with white space, and is never empty."""

    start: int
    end: int


def sentences(text: str) -> list[Span]:
    """The sentences of *text* in order. They do not overlap, and hold every character that is no white space."""
    return [span for start, end in _lines(text) for span in _of_line(text, start, end)]


def _lines(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for line in text.splitlines(keepends=True):
        yield start, start + len(line)
        start += len(line)


def _of_line(text: str, start: int, end: int) -> Iterator[Span]:
    begun = start
    marker = _MARKER.match(text, start, end)
    for found in _END.finditer(text, marker.end() if marker else start, end):
        if not _goes_on(text[begun : found.start()], found["stop"], text[found.end() : end].lstrip()):
            yield from _trimmed(text, begun, found.end())
            begun = found.end()
    yield from _trimmed(text, begun, end)


def _goes_on(before: str, stop: str, after: str) -> bool:
    """Whether a single full stop belongs to the word before it, or what follows begins small."""
    if stop in {"…", "..."}:
        return after[:1].islower()
    if stop != ".":
        return False
    word = _WORD.search(before)
    if word is None:
        return False
    said = word[0]
    is_initial = len(said) == 1 and said.isalpha()
    is_ordinal = _ORDINAL.fullmatch(said) is not None and not _begins_anew(after)
    return is_initial or is_ordinal or said.lower() in ABBREVIATIONS


def _begins_anew(after: str) -> bool:
    """An ordinal is followed by what it counts, written small as a rule: "3. maila", not "1998. Gero"."""
    return after[:1].isupper()


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    said = text[start:end]
    left, kept = len(said) - len(said.lstrip()), said.strip()
    if kept:
        yield Span(start + left, start + left + len(kept))
