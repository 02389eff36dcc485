from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena import transcript
from arena.transcript import MarkdownStream, blocks, render

PIECES = st.sampled_from(
    [
        "kaixo",
        "**lodia**",
        "\n",
        "\n\n",
        "- bat\n",
        "  - bi\n",
        "1. lehena\n",
        "2. bigarrena\n",
        "# Izenburua\n",
        "```\nkodea\n",
        "```\n",
        "> aipua\n",
        "| a | b |\n",
        "|---|---|\n",
        "| 1 | 2 |\n",
        "***\n",
        "---\n",
        "===\n",
        "    sartua\n",
        "\t",
        " ",
        "\r\n",
        "[esteka](https://adibidea.eus)",
        "[x]: https://adibidea.eus\n",
        "<b>",
        "&amp;",
        "\\",
        "`k`",
        "\u2028",
        "ñ",
        " eta",
        "bai, ",
        "12",
        ". ",
        "bat-",
        "'",
        "* ",
        "_",
        "|",
        "amp",
        ";",
        "  ",
        "](b",
        ")",
        "code",
        "日本",
    ]
)
TEXTS = st.lists(PIECES, max_size=25).map("".join)


def streamed(text: str, cuts: random.Random) -> list[str]:
    stream, sealed, at = MarkdownStream(), [], 0
    while at < len(text):
        step = cuts.randint(1, 9)
        stream.feed(text[at : at + step])
        at += step
        if cuts.random() < 0.7:
            sealed += stream.take_sealed()
            stream.open_block()
    return [*sealed, *stream.finish()]


@given(TEXTS, st.randoms(use_true_random=False))
def test_chunking_never_changes_the_html(text: str, cuts: random.Random) -> None:
    assert "".join(streamed(text, cuts)) == render(text)


@given(TEXTS, st.randoms(use_true_random=False))
def test_text_that_is_put_into_the_open_block_stands_where_rendering_puts_it(
    text: str, cuts: random.Random
) -> None:
    stream, at = MarkdownStream(), 0
    while at < len(text):
        step = cuts.randint(1, 9)
        stream.feed(text[at : at + step])
        at += step
        fresh = MarkdownStream()
        fresh.feed(text[:at])
        assert stream.open_block() == fresh.open_block()


@pytest.mark.parametrize(
    ("before", "added"),
    [
        ("Bat eta ", "bi."),
        ("- bat\n- bi", " eta hiru"),
        ("> aipua", " da"),
        ("**lodia** eta", " arrunta"),
        ("**erdi lod", "ia"),
        ("# Izen", "burua "),
    ],
)
def test_more_of_a_sentence_is_not_rendered_again(
    before: str, added: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = MarkdownStream()
    stream.feed(before)
    stream.open_block()
    stream.feed(added)
    expected = transcript.render(before + added)
    monkeypatch.setattr(transcript, "_html", None)
    assert stream.open_block() == expected


def test_spaces_at_the_end_of_code_are_kept() -> None:
    stream = MarkdownStream()
    for part in ("```\nkode", "a  ", "\n", "b ", " "):
        stream.feed(part)
        stream.open_block()
    assert stream.finish() == ["<pre><code>kodea  \nb  </code></pre>\n"]


@given(TEXTS)
def test_sealed_blocks_are_what_one_pass_renders(text: str) -> None:
    whole = MarkdownStream()
    whole.feed(text)
    assert whole.open_block().split() == " ".join(blocks(text)).split()


def test_a_block_is_sealed_once_the_next_begins() -> None:
    stream = MarkdownStream()
    stream.feed("Lehena.\n\nBigarr")
    assert stream.take_sealed() == []
    stream.feed("ena.\n")
    assert stream.take_sealed() == ["<p>Lehena.</p>\n"]
    assert stream.open_block() == "<p>Bigarrena.</p>\n"


def test_an_open_fence_stays_open() -> None:
    stream = MarkdownStream()
    stream.feed("```\na = 1\n\nb = 2\n")
    assert stream.take_sealed() == []
    assert stream.finish() == ["<pre><code>a = 1\n\nb = 2\n</code></pre>\n"]


def test_a_late_reference_cannot_change_an_earlier_block() -> None:
    assert "<a" not in render("[x]\n\n[x]: https://adibidea.eus\n")


PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](https://adibidea.eus/leak.png)",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox)",
    "<a href='javascript:alert(1)'>x</a>",
    "<iframe src=//adibidea.eus></iframe>",
    "<svg onload=alert(1)>",
    "<style>*{display:none}</style>",
    "```html\n<script>alert(1)</script>\n```",
    "`<script>`",
    "<!-- --><script>alert(1)</script>",
    "<https://adibidea.eus/?a=<script>>",
    '[x](https://adibidea.eus "onmouseover=alert(1)")',
    "<form action=//adibidea.eus><button>x</button></form>",
    "<math><mtext></mtext></math>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "[x](<javascript:alert(1)>)",
    "[x](file:///etc/passwd)",
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_markdown_is_inert(payload: str) -> None:
    html = render(payload)
    assert not re.search(r"<(script|img|iframe|svg|style|form|math|button)\b", html, re.IGNORECASE)
    assert not re.search(r"<[^>]*\son\w+=", html, re.IGNORECASE)
    assert not re.search(r'href="(?!https?:|mailto:)', html, re.IGNORECASE)


def test_links_tell_nothing_of_where_they_are_followed_from() -> None:
    assert 'rel="noopener noreferrer nofollow ugc"' in render("[x](https://adibidea.eus)")


def test_a_null_character_does_not_survive() -> None:
    assert "\x00" not in render("a\x00b")
