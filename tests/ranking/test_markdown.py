"""What of Markdown is counted."""

from __future__ import annotations

import pytest

from ranking.markdown import Markdown, count_markdown


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("", Markdown(0, 0, 0)),
        ("Kaixo, mundua", Markdown(0, 0, 0)),
        ("# Bat\n\n## Bi\n   ###### Sei\n#", Markdown(4, 0, 0)),
        ("#ez da\n####### ezta hau\n    # kodea", Markdown(0, 0, 0)),
        ("- bat\n* bi\n+ hiru\n1. lau\n  12) bost\n-ez\n1.ez\n---", Markdown(0, 5, 0)),
        ("**lodia** eta __hau ere__, ez ** hau ** ez", Markdown(0, 0, 2)),
        ("2**3 eta 4**5", Markdown(0, 0, 1)),  # rendered so, too
        ("```py\n# iruzkina\n- x\n**y**\n```\n# Bai", Markdown(1, 0, 0)),
        ("~~~\n# kodea", Markdown(0, 0, 0)),
        ("````\n```\n# kodea\n````\n- bai", Markdown(0, 1, 0)),
    ],
)
def test_markdown_is_counted_outside_code(text: str, counted: Markdown) -> None:
    assert count_markdown(text) == counted
