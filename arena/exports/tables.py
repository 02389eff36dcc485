"""A layout's columns as a table in Markdown, for the docs and for data sets' cards, which are in Basque too."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pyarrow as pa

from arena.exports.layouts import Layout

BASQUE = Path(__file__).parent.parent / "data" / "columns.eu.tsv"
"""An English sentence of a layout or a column, and the Basque one, a line."""
_HEADS = {"en": ("column", "type"), "eu": ("zutabea", "mota")}
_LISTS = {"en": "list of {}", "eu": "zerrenda: {}"}


def as_markdown(layout: Layout, language: str = "en") -> str:
    head = " | ".join(_HEADS[language])
    lines = [f"| {head} | |", "|---|---|---|"]
    lines += [
        f"| `{field.name}` | {_type(field.type, language)} | {told(field.about, language)} |"
        for field in layout.fields
    ]
    return "\n".join(lines)


def told(about: str, language: str) -> str:
    """What a layout or a column says of itself, in English or Basque. Raises :class:`KeyError` for what nobody translated."""
    return about if language == "en" else _basque()[about]


@cache
def _basque() -> dict[str, str]:
    lines = BASQUE.read_text(encoding="utf-8").splitlines()
    return {english: basque for english, _, basque in (line.partition("\t") for line in lines)}


def _type(kind: pa.DataType, language: str) -> str:
    if pa.types.is_list(kind):
        return _LISTS[language].format(_type(kind.value_type, language))
    if pa.types.is_struct(kind):
        return "{" + ", ".join(field.name for field in kind) + "}"
    return str(kind)
