"""A document while its lines are looked at."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from xxhash import xxh3_64_intdigest

from training.data.cleaning.lines import Shapes
from training.data.cleaning.sources import Kept
from training.data.cleaning.tally import Filter, Tally
from training.data.cleaning.work import Place


class Page:
    """A document as lines, some of which are taken out.

    Parameters
    ----------
    place, said
        Where it stands, as numbers and as text.
    fields
        What is kept beside its text.
    text
        Normalised.
    """

    __slots__ = ("_gone", "_start", "fields", "lines", "place", "said", "shape", "text")

    def __init__(self, place: Place, said: str, fields: Kept, text: str) -> None:
        self.place, self.said, self.fields = place, said, fields
        self.text = text
        self.lines = text.split("\n")
        self.shape = Shapes.none()
        self._gone: set[int] = set()
        self._start = len(text) + 1 if text else 0  # characters, as a tally counts them

    def take(self, name: Filter, lines: Iterable[int], tally: Tally) -> None:
        """Take lines out and count them; those that are gone already are not counted twice."""
        for at in lines:
            line = self.lines[at]
            if line:
                tally.take(name, self.said, line, documents=0)
                self._start -= len(line) + 1
                self.lines[at] = ""
                self._gone.add(at)
                if len(self.shape.letters):  # lines that are repeated elsewhere go without being counted
                    self.shape.letters[at] = self.shape.visible[at] = 0

    def long_lines(self, letters: int) -> list[int]:
        """Which lines have so many letters or more."""
        return list(np.flatnonzero(self.shape.letters >= letters).tolist())

    def close(self, tally: Tally) -> None:
        """Put the text together of the lines that are left; empty lines that others left behind go, and are counted."""
        if not self._gone:
            return
        lines: list[str] = []
        for at, line in enumerate(self.lines):
            if at not in self._gone and (line or (lines and lines[-1])):
                lines.append(line)
        while lines and not lines[-1]:
            lines.pop()
        self.lines, self.text = lines, "\n".join(lines)
        tally.take_spaces(self._start - (len(self.text) + 1 if self.text else 0))


def line_keys(text: str, least_words: int) -> dict[int, str]:
    """The different lines of a text that have so many words or more, by their hashes."""
    spaces = least_words - 1
    return {
        xxh3_64_intdigest(line.encode()): line
        for line in text.split("\n")
        if line and line.count(" ") >= spaces
    }
