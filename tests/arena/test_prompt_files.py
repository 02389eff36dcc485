"""Lists of prompts, as admins upload them."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.errors import BadPrompts
from arena.prompt_files import COLUMNS, MOST_BYTES, MOST_CHARS, MOST_PROMPTS, PromptRow, digest, parse

texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff\u2028\u2029"),
    min_size=1,
    max_size=30,
).filter(lambda text: bool(text.strip()))
labels = st.sampled_from(["", "laburpena", "hitanoz"])
rows = st.lists(
    st.builds(PromptRow, text=texts.map(str.strip), task=labels, register=labels, dialect=labels),
    min_size=1,
    max_size=8,
    unique_by=lambda row: row.text,
)


def as_csv(given_rows: list[PromptRow]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows([row.text, row.task, row.register, row.dialect] for row in given_rows)
    return out.getvalue().encode()


def as_json(given_rows: list[PromptRow]) -> bytes:
    lines = [{name: getattr(row, name) for name in COLUMNS} for row in given_rows]
    return "\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode()


@given(rows)
def test_both_formats_give_the_rows_back(given_rows: list[PromptRow]) -> None:
    assert parse("a.csv", as_csv(given_rows)) == given_rows
    assert parse("a.jsonl", as_json(given_rows)) == given_rows
    assert digest(given_rows) == digest(parse("a.csv", as_csv(given_rows)))


@pytest.mark.parametrize(
    ("name", "content", "problems"),
    [
        ("a.csv", "", [(1, "no_header")]),
        ("a.csv", "galdera\nKaixo\n", [(1, "no_header")]),
        ("a.csv", "text\n", [(0, "empty")]),
        ("a.csv", "text,task\nKaixo,a\n,b\nKaixo,c\n", [(3, "no_text"), (4, "twice")]),
        ("a.csv", "text,maila\nKaixo,A\n", [(2, "unknown_column")]),
        ("a.csv", "text\nKaixo,gehiegi\n", [(2, "unknown_column")]),
        ("a.csv", 'text\n"Kaixo', [(2, "bad_csv")]),
        ("a.csv", f"text,task\nKaixo,{'a' * 61}\n", [(2, "label_too_long")]),
        ("a.csv", f"text\n{'a' * (MOST_CHARS + 1)}\n", [(2, "too_long")]),
        (
            "a.jsonl",
            '{"text": "Kaixo"}\n\n{\n7\n{"text": 7}',
            [(3, "bad_json"), (4, "no_object"), (5, "no_text")],
        ),
        ("a.jsonl", "\n".join(f'{{"text": "{n}"}}' for n in range(MOST_PROMPTS + 1)), [(0, "too_many")]),
        ("a.jsonl", r'{"text": "\ud800"}' + "\n" + "[" * 100_000, [(1, "no_text"), (2, "bad_json")]),
        ("a.csv", b"text\nKaixo\n\xff", [(3, "not_utf8")]),
        ("a.csv", b"a" * (MOST_BYTES + 1), [(0, "too_large")]),
    ],
)
def test_every_bad_row_is_located(name: str, content: str | bytes, problems: list[tuple[int, str]]) -> None:
    with pytest.raises(BadPrompts) as caught:
        parse(name, content.encode() if isinstance(content, str) else content)
    assert list(caught.value.problems) == problems
