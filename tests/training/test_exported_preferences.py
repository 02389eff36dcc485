"""TRL's preparation takes exported rows as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import AutoTokenizer
from trl.data_utils import is_conversational, maybe_apply_chat_template

from tests.arena.exports.test_readers import rows_of


@pytest.mark.parametrize(
    ("layout", "columns"),
    [("dpo", ("prompt", "chosen", "rejected")), ("kto", ("prompt", "completion", "label"))],
)
def test_preparation_takes_the_rows(layout: str, columns: tuple[str, ...], trained: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(trained / "txiki_110")
    rows = rows_of(layout)
    assert rows
    for row in rows:
        example = {name: row[name] for name in columns}
        assert is_conversational(example)
        prepared = maybe_apply_chat_template(example, tokenizer)
        assert row["prompt"][-1]["content"] in prepared["prompt"]
        answers = [name for name in columns if name in {"chosen", "rejected", "completion"}]
        assert all(row[name][0]["content"] in prepared[name] for name in answers)
