"""The docs list the layouts as they are."""

from __future__ import annotations

from pathlib import Path

from arena.exports.layouts import LAYOUTS
from arena.exports.tables import as_markdown


def test_every_layout_stands_in_the_docs_with_its_columns(repository: Path) -> None:
    text = (repository / "docs" / "exports.md").read_text(encoding="utf-8")
    for name, layout in LAYOUTS.items():
        table = "as `ebaluatoia`" if name == "ebaluatoia-sanitized" else as_markdown(layout)
        assert f"### `{name}`\n{layout.about}\n\n{table}\n" in text
