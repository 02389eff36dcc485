"""The language of a text, and how much of it is Basque."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.language import LANGUAGES, UNTOLD, Measured, language_of, measure

BASQUE = "Gaur eguraldi ederra dago, eta mendira joan nahi dugu lagunekin."
SPANISH = "Hoy hace muy buen tiempo y queremos ir al monte con los amigos."
ENGLISH = "The weather is lovely today and we would like to go hiking."
FRENCH = "Il fait très beau aujourd'hui et nous voulons aller à la montagne."


@pytest.mark.parametrize(
    ("text", "language"), [(BASQUE, "eu"), (SPANISH, "es"), (ENGLISH, "en"), (FRENCH, "fr")]
)
def test_a_sentence_is_told_and_is_all_or_nothing_basque(text: str, language: str) -> None:
    assert measure(text) == Measured(language, float(language == "eu"))
    assert language_of(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "",
        "42",
        "😀 ...",
        "```\nprint('hello world, this is code')\n```",
        "https://example.org/some/english/words",
    ],
)
def test_without_words_nothing_is_told(text: str) -> None:
    assert measure(text) == Measured(UNTOLD, None)
    assert language_of("42") is None


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        (f"{BASQUE} {SPANISH}", 0.4, 0.6),
        (f"{BASQUE}\n\n{BASQUE}\n\n{ENGLISH}", 0.6, 0.75),
        (f"{BASQUE}\n```python\nfor line in lines: print(line, 'all of this is English')\n```", 1.0, 1.0),
        (f"{BASQUE} Bai. Ez. {BASQUE}", 1.0, 1.0),
    ],
)
def test_the_share_of_basque_is_of_letters_piece_by_piece_without_code(
    text: str, low: float, high: float
) -> None:
    share = measure(text).basque_share
    assert share is not None
    assert low <= share <= high


@given(st.text(max_size=300))
def test_any_text_has_a_known_language_and_a_share_exactly_where_it_is_told(text: str) -> None:
    found = measure(text)
    assert found.language in {*LANGUAGES, UNTOLD}
    assert (found.basque_share is None) is (found.language == UNTOLD)
    assert found.basque_share is None or 0 <= found.basque_share <= 1
    assert measure(text) == found
