"""Lists of prompts as an admin uploads them: CSV with a header, or JSON lines. Every bad row is located, and then none is taken."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from arena.errors import BadPrompts

COLUMNS = ("text", "task", "register", "dialect")
MOST_BYTES = 2_000_000
MOST_PROMPTS = 2_000
MOST_CHARS = 4_000
MOST_LABEL_CHARS = 60
MOST_SAID = 20
"""Of the bad rows, so many are told."""


@dataclass(frozen=True, slots=True)
class PromptRow:
    """One prompt with its labels; those that nobody gave are empty."""

    text: str
    task: str = ""
    register: str = ""
    dialect: str = ""


def parse(name: str, content: bytes) -> list[PromptRow]:
    """The prompts of a ``.csv`` or ``.jsonl`` file, in their order.

    Raises
    ------
    BadPrompts
        With the line and what is wrong there, for each of the first rows that are bad; line 0 is the file itself.
    """
    if len(content) > MOST_BYTES:
        raise BadPrompts([(0, "too_large")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadPrompts([(content[: error.start].count(b"\n") + 1, "not_utf8")]) from None
    found, bad = _read(_csv(text) if name.lower().endswith(".csv") else _json_lines(text))
    if not found and not bad:
        bad = [(0, "empty")]
    if len(found) > MOST_PROMPTS:
        bad = [(0, "too_many")]
    if bad:
        raise BadPrompts(bad[:MOST_SAID])
    return found


def digest(rows: list[PromptRow]) -> str:
    """SHA-256 of the prompts with their labels."""
    whole = json.dumps([asdict(row) for row in rows], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()


_Located = tuple[int, dict[str, object] | str]
"""A line, and its row or what is wrong there."""


def _read(rows: Iterator[_Located]) -> tuple[list[PromptRow], list[tuple[int, str]]]:
    found: dict[str, PromptRow] = {}
    bad: list[tuple[int, str]] = []
    for line, row in rows:
        problem = row if isinstance(row, str) else _problem(row)
        if isinstance(row, str) or problem:
            bad.append((line, problem))
            continue
        made = PromptRow(**{name: str(row.get(name) or "").strip() for name in COLUMNS})
        if made.text in found:
            bad.append((line, "twice"))
        found[made.text] = made
    return list(found.values()), bad


def _problem(row: dict[str, object]) -> str:
    """What is wrong with a row; empty where nothing is."""
    said = {name: str(value or "").strip() for name, value in row.items()}
    text = said.get("text", "")
    checks = {
        "unknown_column": not set(row) <= set(COLUMNS),
        "no_text": not all(value is None or isinstance(value, str) for value in row.values())
        or not text
        or any(char == "\x00" or "\ud800" <= char <= "\udfff" for value in said.values() for char in value),
        "too_long": len(text) > MOST_CHARS,
        "label_too_long": any(len(said.get(name, "")) > MOST_LABEL_CHARS for name in COLUMNS[1:]),
    }
    return next((problem for problem, holds in checks.items() if holds), "")


def _csv(text: str) -> Iterator[_Located]:
    reader = csv.DictReader(io.StringIO(text), restkey="", strict=True)
    try:
        if "text" not in (reader.fieldnames or ()):
            yield 1, "no_header"
            return
        for row in reader:
            yield reader.line_num, dict(row)
    except csv.Error:
        yield reader.line_num + 1, "bad_csv"


def _json_lines(text: str) -> Iterator[_Located]:
    for line, written in enumerate(text.split("\n"), start=1):
        if not written.strip():
            continue
        try:
            row = json.loads(written)
        except (ValueError, RecursionError):
            yield line, "bad_json"
        else:
            yield line, row if isinstance(row, dict) else "no_object"
