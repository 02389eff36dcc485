"""What can be said of a vote from its battle alone: rules on texts and times, each of which names a reason. No database.

A rule that cannot tell says nothing: a vote is excluded for what was seen, never for what could not be checked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

_LANGUAGES = ("eu", "es", "en", "fr")
_FEWEST_LETTERS = 40  # below, language identification guesses
_SURE = 0.9


def answers_in_another_language(prompt: str, answer: str) -> bool:
    """Whether a Basque message was answered in Spanish, English or French; short texts and doubtful ones are not said to be."""
    return _language(prompt, sure=0.5) == "eu" and _language(
        answer, sure=_SURE, fewest=_FEWEST_LETTERS
    ) not in {
        "eu",
        None,
    }


def is_too_fast(taken: timedelta, *, least: timedelta) -> bool:
    """Whether a vote came sooner after the last answer than a person reads."""
    return taken < least


def same_words(first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether two chats ask the same, case, spacing and punctuation aside."""
    return [_words(text) for text in first] == [_words(text) for text in second]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


@cache
def _identifier() -> LanguageIdentifier:
    found = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    found.set_languages(list(_LANGUAGES))
    return found


def _language(text: str, *, sure: float, fewest: int = 1) -> str | None:
    """The text's language among Basque, Spanish, English and French; ``None`` where it is too short or not that clear."""
    if sum(map(str.isalpha, text)) < fewest:
        return None
    language, probability = _identifier().classify(text)
    return str(language) if probability >= sure else None
