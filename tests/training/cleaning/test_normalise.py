from __future__ import annotations

from unicodedata import is_normalized, normalize

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from training.data.cleaning.normalise import Mend, normalise

texts = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("ÂÃâ€™ð\x9fŸ\x98\x80»±¡­ \u0303\u0301aeiou\n\r\t  \u00a0\u200b\u2028\ufeff\x85\ud800"),
    ),
    max_size=60,
)


@given(texts)
@example("Ã\u200b±")
@example("A\u0303±")
@example("Ã\xad\xad")
@example("ÃƒÂ±")
def test_a_second_time_changes_nothing(text: str) -> None:
    once, _ = normalise(text)
    assert normalise(once) == (once, frozenset())


@given(texts)
def test_what_comes_out_is_plain(text: str) -> None:
    found, mends = normalise(text)
    assert is_normalized("NFC", found)
    found.encode()
    lines = found.split("\n")
    assert all(line == " ".join(line.split()) for line in lines)
    assert "\n\n\n" not in found
    assert found == found.strip()
    assert bool(mends) == (found != text)


@given(st.text(st.sampled_from("abcdefghijklñopqrstuvwxyzáéíóúüçÑÁ .,;:«»“”’—€"), max_size=200))
def test_text_read_as_windows_1252_is_read_again(text: str) -> None:
    wrong = (
        text.encode().decode("cp1252", "surrogateescape").replace("\udc81", "\x81").replace("\udc8d", "\x8d")
    )
    wrong = wrong.replace("\udc9d", "\x9d").replace("\udc8f", "\x8f").replace("\udc90", "\x90")
    assert normalise(wrong)[0] == normalise(text)[0]


@given(st.text(st.sampled_from("abcñáéíóú .'’“”"), max_size=80))
def test_text_read_as_latin_1_is_read_again(text: str) -> None:
    assert normalise(text.encode().decode("latin-1"))[0] == normalise(text)[0]


@pytest.mark.parametrize(
    ("text", "expected", "mends"),
    [
        ("Kaixo, mundua", "Kaixo, mundua", set()),
        ("EspaÃ±a eta ArgentinÃ¡", "España eta Argentiná", {Mend.MOJIBAKE}),
        ("â€œKaixoâ€\x9d esan zuen â€“ lasai", "“Kaixo” esan zuen – lasai", {Mend.MOJIBAKE}),
        ("kafea 5 â‚¬ da", "kafea 5 € da", {Mend.MOJIBAKE}),
        ("ondo ðŸ˜€", "ondo 😀", {Mend.MOJIBAKE}),
        ("ÃƒÂ±", "ñ", {Mend.MOJIBAKE}),
        (normalize("NFD", "ñabar"), "ñabar", {Mend.COMPOSED}),
        ("bat\x00bi\u200bhiru\u00adlau\ufeff", "batbihirulau", {Mend.CONTROLS}),
        ("bat\ud800bi", "batbi", {Mend.CONTROLS}),
        ("bat\r\nbi\u2028hiru\x85lau", "bat\nbi\nhiru\nlau", {Mend.CONTROLS}),
        ("  bat \t bi\u00a0hiru  ", "bat bi hiru", {Mend.SPACES, Mend.CONTROLS}),
        ("bat\n\n\n\nbi\n", "bat\n\nbi", {Mend.SPACES}),
        ("👩\u200d🔬", "👩\u200d🔬", set()),
    ],
)
def test_examples(text: str, expected: str, mends: set[Mend]) -> None:
    found, made = normalise(text)
    assert found == expected
    assert made - {Mend.CONTROLS} == mends - {Mend.CONTROLS}


@pytest.mark.parametrize(
    "text",
    [
        "SANTÉ” esan zuen",
        "“LA CITÉ”",
        "Zer da Â ikurra?",
        "Ãngel ez da ohiko izena",
        "côte à côte «à Paris»",
        "Ez dago â, ê, î eta ô euskaraz.",
    ],
)
def test_what_could_be_meant_stays(text: str) -> None:
    assert normalise(text) == (text, frozenset())
