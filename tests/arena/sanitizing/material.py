"""What was written to measure by: sentences with planted details, and sentences with what only looks like one.

``python -m tests.arena.sanitizing.material`` prints what is found of it.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from arena.sanitizing import Found, Kind, Span, find

FOLDER = Path(__file__).parent
HALVES = ("development", "held_out")
CLEAN = "clean:"


@dataclass(frozen=True, slots=True)
class Row:
    """A sentence; *kind* is what is planted in it at *planted*, or what its innocent numbers are."""

    kind: str
    language: str
    text: str
    planted: tuple[Span, ...]

    @property
    def is_clean(self) -> bool:
        return self.kind.startswith(CLEAN)


def rows(half: str) -> list[Row]:
    lines = (FOLDER / f"{half}.tsv").read_text(encoding="utf-8").splitlines()
    return [_row(*line.split("\t")) for line in lines[1:]]


def _row(kind: str, language: str, marked: str) -> Row:
    text, planted = "", []
    for piece in re.split(r"(⟦[^⟧]*⟧)", marked.replace("\\n", "\n")):
        bare = piece.strip("⟦⟧")
        if piece != bare:
            planted.append((len(text), len(text) + len(bare)))
        text += bare
    return Row(kind, language, text, tuple(planted))


@dataclass(frozen=True, slots=True)
class Figures:
    """How many of each kind were planted and found; how many finds there were, and how many of them were planted, all and certain ones."""

    planted: Counter[str]
    found: Counter[str]
    finds: int
    right: int
    certain_finds: int
    certain_right: int

    @property
    def recall(self) -> float:
        return self.found.total() / self.planted.total()

    @property
    def precision(self) -> float:
        return self.right / self.finds

    @property
    def certain_precision(self) -> float:
        return self.certain_right / self.certain_finds


def figures(*halves: str) -> Figures:
    """A detail is found if one find of its kind covers it whole; a find is right if it covers a detail of its kind."""
    planted: Counter[str] = Counter()
    found: Counter[str] = Counter()
    finds: list[tuple[Found, bool]] = []
    for row in (row for half in halves for row in rows(half)):
        got = find(row.text)
        finds += [(each, any(_covers(each, row.kind, span) for span in row.planted)) for each in got]
        planted[row.kind] += len(row.planted)
        found[row.kind] += sum(any(_covers(each, row.kind, span) for each in got) for span in row.planted)
    certain = [right for each, right in finds if each.certain]
    return Figures(+planted, +found, len(finds), sum(right for _, right in finds), len(certain), sum(certain))


def _covers(found: Found, kind: str, span: Span) -> bool:
    return found.kind.value == kind and found.start <= span[0] and span[1] <= found.end


def main() -> None:
    for halves in (("development",), ("held_out",), HALVES):
        said = figures(*halves)
        print(
            f"{' + '.join(halves)}: recall {said.found.total()} of {said.planted.total()} = {said.recall:.1%},",
            end=" ",
        )
        print(f"precision {said.right} of {said.finds} = {said.precision:.1%},", end=" ")
        print(f"of certain ones {said.certain_right} of {said.certain_finds} = {said.certain_precision:.1%}")
        print("   ", ", ".join(f"{kind.value} {said.found[kind]} of {said.planted[kind]}" for kind in Kind))


if __name__ == "__main__":
    main()
