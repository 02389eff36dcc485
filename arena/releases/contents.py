"""The files of rows by their names, ``lmarena.jsonl.gz``: a layout and a format."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from arena.exports.files import Format
from arena.exports.layouts import LAYOUTS, Layout


@dataclass(frozen=True, slots=True)
class Content:
    layout: Layout
    form: Format

    @property
    def name(self) -> str:
        return f"{self.layout.name}.{self.form.value}"


@dataclass(frozen=True, slots=True)
class Made:
    """A file of rows that was written."""

    content: Content
    rows: int
    size_bytes: int
    sha256: str


PUBLISHABLE = [each for each in LAYOUTS.values() if each.is_sanitized or not each.has_texts]
"""Texts leave in a release without personal details."""


def content_of(name: str) -> Content:
    """Raises :class:`ValueError` for a name that no layout and format give."""
    layout, _, form = name.partition(".")
    if layout not in LAYOUTS:
        raise ValueError(f"there is no layout {layout!r}: {', '.join(LAYOUTS)}")
    return Content(LAYOUTS[layout], Format(form))


def in_order(contents: Iterable[Content]) -> list[Content]:
    """Once each, as the layouts and formats are listed."""
    wanted = {each.name for each in contents}
    every = [Content(layout, form) for layout in LAYOUTS.values() for form in Format]
    return [each for each in every if each.name in wanted]
