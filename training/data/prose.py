"""What of a text is prose, and its language: code, links and numbers say nothing of it."""

from __future__ import annotations

import re
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

FENCE = re.compile(r"^(?P<mark>`{3,}|~{3,})[^\n]*\n.*?(?:^(?P=mark)[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
URL = re.compile(r"(?:https?|ftp)://[^\s<>\"'`)\]]*[^\s<>\"'`)\].,;:!?]")
INLINE_CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
# those that a model asked for Basque or English slips into; among all that py3langid knows, short texts are guesses
LANGUAGES = (
    "eu",
    "en",
    "es",
    "fr",
    "ca",
    "gl",
    "pt",
    "it",
    "de",
    "nl",
    "ru",
    "uk",
    "zh",
    "ja",
    "ko",
    "ar",
    "hi",
    "tr",
)


def prose_of(text: str) -> str:
    """The text without fenced code, inline code and links."""
    for pattern in (FENCE, INLINE_CODE, URL):
        text = pattern.sub(" ", text)
    return text


def letters(text: str) -> int:
    """How many letters the text has, of any script."""
    return sum(map(str.isalpha, text))


def language_of(text: str) -> tuple[str, float]:
    """The language of a text's prose among :data:`LANGUAGES`, and how sure that is, in [0, 1].

    Notes
    -----
    py3langid, a naive Bayes classifier over byte n-grams (Lui and Baldwin, ACL 2012). Below some twenty letters it guesses.
    """
    language, sure = _identifier().classify(prose_of(text))
    return str(language), float(sure)


def is_in(language: str, text: str, *, fewest: int = 20) -> bool:
    """Whether a text may be taken for one in *language*: so identified, or with too few letters of prose to tell."""
    return letters(prose_of(text)) < fewest or language_of(text)[0] == language


@cache
def _identifier() -> LanguageIdentifier:
    found = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    found.set_languages(list(LANGUAGES))
    return found
