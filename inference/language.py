"""The language of a text among Basque, Spanish, English and French, and how much of it is Basque. Pure; some 0.2 ms a text once the model is loaded."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

BASQUE = "eu"
LANGUAGES = (BASQUE, "es", "en", "fr")
UNTOLD = "und"
"""The code for a text whose language cannot be told (ISO 639-2)."""
FEWEST_LETTERS = 40
"""Below, what the identifier says of a piece is a guess."""
_SURE, _LIKELY = 0.9, 0.5
_LONGEST = 20_000  # characters that are looked at: of more, the rest changes little
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+", re.DOTALL)
_PIECE = re.compile(r"(?<=[.!?…:;])\s+|\n+")


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found.

    Parameters
    ----------
    language
        Code of the most likely language, or :data:`UNTOLD`.
    basque_share
        Share of the letters that stand in pieces whose most likely language is Basque, from 0 to 1; ``None`` where the language cannot be told.
    """

    language: str = UNTOLD
    basque_share: float | None = None


def measure(text: str) -> Measured:
    """The language of the whole and the share of Basque, piece by piece; code and addresses are left out."""
    prose = _CODE.sub(" ", text[:_LONGEST])
    letters = _letters(prose)
    if not letters:
        return Measured()
    language, probability = _classified(prose)
    if letters < FEWEST_LETTERS and probability < _LIKELY:
        return Measured()
    weights = [(_letters(piece), piece) for piece in _pieces(prose)]
    basque = sum(weight for weight, piece in weights if weight and _classified(piece)[0] == BASQUE)
    return Measured(language, basque / letters)


def language_of(text: str, *, sure: float = 0.0, fewest: int = 1) -> str | None:
    """The text's language; ``None`` where it has fewer letters or is not that clear."""
    if _letters(text) < fewest:
        return None
    language, probability = _classified(text)
    return language if probability >= sure else None


def answers_in_another_language(prompt: str, answer: str) -> bool:
    """Whether a Basque message was answered in Spanish, English or French; short texts and doubtful ones are not said to be."""
    if language_of(answer, sure=_SURE, fewest=FEWEST_LETTERS) in {
        BASQUE,
        None,
    }:  # as most: the prompt need not be read
        return False
    return language_of(prompt, sure=_LIKELY) == BASQUE


def _pieces(text: str) -> Sequence[str]:
    """Sentences, each joined to what comes before until they are long enough to be told."""
    pieces: list[str] = []
    for each in _PIECE.split(text):
        if pieces and _letters(pieces[-1]) < FEWEST_LETTERS:
            pieces[-1] = f"{pieces[-1]} {each}"
        else:
            pieces.append(each)
    if len(pieces) > 1 and _letters(pieces[-1]) < FEWEST_LETTERS:
        last = pieces.pop()
        pieces[-1] = f"{pieces[-1]} {last}"
    return pieces


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))


def _classified(text: str) -> tuple[str, float]:
    language, probability = _identifier().classify(text)
    return str(language), float(probability)


def load() -> None:
    """Read the model, which takes a second: else the first text of a process waits for it."""
    _identifier()


@cache
def _identifier() -> LanguageIdentifier:
    found = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    found.set_languages(list(LANGUAGES))
    return found
