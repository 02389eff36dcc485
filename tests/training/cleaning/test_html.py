from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data.cleaning.html import text_of_html


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<p>Kaixo <b>mundu</b> osoa</p><p>Agur</p>", "Kaixo mundu osoa\nAgur"),
        ("<p>lerro\nbat\n  bakarra</p>", "lerro bat bakarra"),
        ("bat<br>bi<br/>hiru", "bat\nbi\nhiru"),
        ("<ul><li>bat<li>bi</ul>", "bat\nbi"),
        ("<pre>a\n  b</pre>", "a\nb"),
        ("<h1>Izena</h1>testua", "Izena\ntestua"),
        ("&Aacute;lava &amp; Gipuzkoa&nbsp;osoa &#233;", "Álava & Gipuzkoa osoa é"),
        ("<table><tr><td>a<td>b<tr><td>c</table>", "a\nb\nc"),
        ("<script>if (a < b) { p('<p>x</p>') }</script>ondo", "ondo"),
        ("<style>p { color: red }</style>ondo", "ondo"),
        ("<head><title>izena</title></head><body>ondo</body>", "ondo"),
        (
            "<header><p>goia</p></header><nav><ul><li>menua</ul></nav><p>ondo</p><footer>behea</footer>",
            "ondo",
        ),
        ("<aside><div>alboa<br></div></aside>ondo", "ondo"),
        ("<span hidden>ez<b>ez</b></span>bai<i aria-hidden=true>x</i>", "bai"),
        ("<input hidden>bai", "bai"),
        ("<form><input type=text><p>ez</p></form>bai", "bai"),
        ("<!-- ohar bat --><p>bai</p>", "bai"),
        ("<head><meta charset=utf-8><body>itxi gabeko burua", "itxi gabeko burua"),
        ("</p></nav>bai</div>", "bai"),
        ("<nav>ez</nav></nav>bai", "bai"),
        ("<p>irekita", "irekita"),
        ("", ""),
    ],
)
def test_pages(page: str, text: str) -> None:
    assert text_of_html(page) == text


words = st.text("abcdefñá", min_size=1, max_size=8)


@given(st.lists(words, min_size=1, max_size=6))
def test_every_paragraph_is_a_line(paragraphs: list[str]) -> None:
    page = "".join(f"<div><p>{each}</p></div>" for each in paragraphs)
    assert text_of_html(page).split("\n") == paragraphs


@given(words, words)
def test_what_is_left_out_leaves_no_trace(one: str, other: str) -> None:
    assert text_of_html(f"<p>{one}</p><nav><p>{other}</p></nav>") == one


@given(st.text(st.sampled_from("<>/&;!-pbnavscriptheader= \n'\"#x"), max_size=80))
def test_anything_is_borne(page: str) -> None:
    found = text_of_html(page)
    assert all(line == " ".join(line.split()) != "" for line in found.split("\n")) or not found
