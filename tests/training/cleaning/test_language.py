from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from tests.training.cleaning.planted import FOREIGN, sentences
from training.data.cleaning.language import LANGUAGES, identifier, sample


@pytest.fixture(scope="module")
def upstream() -> LanguageIdentifier:
    found = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    found.set_languages(list(LANGUAGES))
    return found


def _equal(upstream: LanguageIdentifier, texts: list[bytes]) -> None:
    languages, sure = identifier().classify(texts)
    for text, language, confidence in zip(texts, languages, sure, strict=True):
        expected, probability = upstream.classify(text)
        assert confidence == pytest.approx(probability, abs=1e-3), text
        # where two are as likely, rounding decides
        assert LANGUAGES[language] == expected or confidence < 0.5 + 1e-3, text


def test_many_at_once_are_what_py3langid_says_of_each(upstream: LanguageIdentifier) -> None:
    texts = [text.encode() for text in (*sentences(), *FOREIGN, "", "a", "123", "ñ", "x" * 3000)]
    _equal(upstream, texts)


def test_capitals_are_taken_for_small_letters_as_upstream_does(upstream: LanguageIdentifier) -> None:
    text = "GURE HERRIAN UDALETXEA ITXITA DAGO"
    languages, sure = identifier().classify([sample(text, 200)])
    assert (LANGUAGES[languages[0]], pytest.approx(sure[0], abs=1e-3)) == upstream.classify(text)


@settings(max_examples=40)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=40), max_size=8))
def test_any_text_is_what_py3langid_says(upstream: LanguageIdentifier, texts: list[str]) -> None:
    _equal(upstream, [sample(text, 400) for text in texts])


def test_a_text_is_the_same_in_any_company() -> None:
    texts = [text.encode() for text in (*sentences(), *FOREIGN)]
    together, sure = identifier().classify(texts)
    for at in (0, 5, len(texts) - 1):
        alone, confidence = identifier().classify([texts[at]])
        assert (alone[0], confidence[0]) == (together[at], sure[at])


def test_more_than_are_walked_together_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [text.encode() for text in (*sentences(), *FOREIGN)]
    expected, _ = identifier().classify(texts)
    monkeypatch.setattr("training.data.cleaning.language._TOGETHER", 7)
    assert np.array_equal(identifier().classify(texts)[0], expected)


def test_no_text_has_no_language() -> None:
    languages, sure = identifier().classify([])
    assert languages.shape == sure.shape == (0,)


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        ("kaixo", 10, b"kaixo"),
        ("KAIXO MUNDUA", 20, b"kaixo mundua"),
        ("abcdefghij", 4, b"ab ij"),
        ("", 4, b""),
    ],
)
def test_samples(text: str, most: int, expected: bytes) -> None:
    assert sample(text, most) == expected


@given(st.text(), st.integers(2, 50))
def test_samples_are_short(text: str, most: int) -> None:
    assert len(sample(text, most)) <= 4 * most + 1
