"""Which of the arena's languages a text is in: Basque, Spanish, English or French."""

from __future__ import annotations

from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

LANGUAGES = ("eu", "es", "en", "fr")


def guess_language(text: str) -> tuple[str, float]:
    """The likeliest of :data:`LANGUAGES` and its probability. On fewer than 40 letters or so it is a guess."""
    language, probability = _identifier().classify(text)
    return str(language), float(probability)


@cache
def _identifier() -> LanguageIdentifier:
    found = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    found.set_languages(list(LANGUAGES))
    return found
