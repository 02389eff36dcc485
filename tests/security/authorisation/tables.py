"""The tables beside this module: comments, columns and rows of words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
VARIANT = "#"
"""After it stands of which things a row is, where a route is asked for several: ``data/<str:slug>/#draft``."""


@dataclass(frozen=True, slots=True)
class Row:
    method: str
    route: str
    variant: str
    cells: dict[str, str]
    """What is expected, by role."""


def lines(name: str) -> Iterator[list[str]]:
    """The words of each line that says something."""
    for line in (HERE / name).read_text().splitlines():
        words = line.partition(" # ")[0].split()
        if words and words[0] != "#":
            yield words


def rows(name: str) -> list[Row]:
    """``column = role role`` says who stands in a column; after the line ``method route COLUMN COLUMN`` each line is a row."""
    roles: dict[str, list[str]] = {}
    columns: list[str] = []
    found = []
    for words in lines(name):
        if words[1] == "=":
            roles[words[0]] = words[2:]
        elif words[0] == "method":
            columns = words[2:]
        else:
            method, asked, *cells = words
            assert len(cells) == len(columns), words
            said = dict(zip(columns, cells, strict=True))
            route, _, variant = asked.removeprefix("/").partition(VARIANT)
            by_role = {role: said[each] for each in columns for role in roles[each]}
            found.append(Row(method, route, variant, by_role))
    return found
