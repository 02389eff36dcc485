"""How answers use Markdown, by what their lines look like."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

HEADERS = tuple(f"h{level}" for level in range(1, 7))
LISTS = ("ordered", "unordered")
BOLD = ("**", "__")

_FENCE = re.compile(r"^(`{3,}|~{3,}).*?(?:^\1[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_HEADER = re.compile(r"^ {0,3}(#{1,6})(?:[ \t]|$)", re.MULTILINE)
_ITEM = re.compile(r"^[ \t]*([-*+]|[0-9]{1,9}[.)])[ \t]+\S", re.MULTILINE | re.ASCII)
_BOLD = re.compile(r"(\*\*|__)(?=\S)[^\n]+?(?<=\S)\1")


@dataclass(frozen=True, slots=True)
class Markdown:
    """How often an answer uses each means of Markdown."""

    headers: int
    lists: int
    bold: int


def count_kinds(text: str) -> Counter[str]:
    """How often a text has each of :data:`HEADERS`, :data:`LISTS` and :data:`BOLD`, outside fenced code."""
    prose = _FENCE.sub("", text)
    kinds = Counter(f"h{len(marks)}" for marks in _HEADER.findall(prose))
    kinds.update("unordered" if mark in "-*+" else "ordered" for mark in _ITEM.findall(prose))
    kinds.update(_BOLD.findall(prose))
    return kinds


def count_markdown(text: str) -> Markdown:
    """The same in three sums: headers, list items and bold runs."""
    kinds = count_kinds(text)
    return Markdown(*(sum(kinds[name] for name in names) for names in (HEADERS, LISTS, BOLD)))
