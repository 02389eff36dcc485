"""Sentences of answers, with offsets into the stored text."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from arena.sentences import sentences

PIECES = st.sampled_from(
    ["Kaixo", "3.", "adib.", "K.a.", "IV.", "etab.", " ", "\n", "\r\n", "\u2028", "…", "...", "!", "?»", ".", "- ", "1. ", "# ", "**", "\t", "😀", "e\u0301"]
)  # fmt: skip


def said(text: str) -> list[str]:
    return [text[span.start : span.end] for span in sentences(text)]


@given(st.one_of(st.text(), st.lists(PIECES).map("".join), st.lists(PIECES).map(" ".join)))
@example("")
@example(" \n ")
def test_spans_are_ordered_disjoint_and_hold_every_letter(text: str) -> None:
    spans = sentences(text)
    edges = [edge for span in spans for edge in (span.start, span.end)]
    assert edges == sorted(edges)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(text[span.start : span.end].strip() == text[span.start : span.end] for span in spans)
    inside = {place for span in spans for place in range(span.start, span.end)}
    assert all(place in inside for place, sign in enumerate(text) if not sign.isspace())
    assert spans == sentences(text)


@given(st.lists(PIECES).map(" ".join), st.lists(PIECES).map(" ".join))
def test_a_line_is_split_alike_wherever_it_stands(first: str, second: str) -> None:
    shift = len(first) + 1
    alone = [(span.start + shift, span.end + shift) for span in sentences(second)]
    together = [(span.start, span.end) for span in sentences(f"{first}\n{second}")]
    assert together[len(together) - len(alone) :] == alone


@pytest.mark.parametrize(
    "text",
    [
        "Gaur 3. maila ikusiko dugu.",
        "Martxoaren 19. egunean XVI. mendeko liburua aurkitu zuten.",
        "Fruta asko dago, adib. sagarra eta madaria.",
        "K.a. 52. urtean gertatu zen.",
        "J. Etxeparek idatzi zuen.",
        "Ikus 12. or. eta hurrengoak.",
        "Balioa 3.14 da, eta www.adibidea.eus helbidea.",
        "Bada… ez dakit.",
    ],
)
def test_what_looks_like_an_end_and_is_none(text: str) -> None:
    assert said(text) == [text]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Kaixo! Zer moduz? Ondo.", ["Kaixo!", "Zer moduz?", "Ondo."]),
        ("«Bai.» Hori esan zuen.", ["«Bai.»", "Hori esan zuen."]),
        ("Urtea 1998. Gero joan zen.", ["Urtea 1998.", "Gero joan zen."]),
        ("Sagarrak, udareak, etab. Gero mahatsak.", ["Sagarrak, udareak, etab.", "Gero mahatsak."]),
        ("# Titulua\n\n1. Lehena. Bai.\n2. Bigarrena", ["# Titulua", "1. Lehena.", "Bai.", "2. Bigarrena"]),
        ("Ez dakit... Agian bihar.", ["Ez dakit...", "Agian bihar."]),
        ("**Oso ona.** Bai.", ["**Oso ona.**", "Bai."]),
    ],
)
def test_where_sentences_end(text: str, parts: list[str]) -> None:
    assert said(text) == parts
