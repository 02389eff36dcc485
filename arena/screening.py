"""What can be said of a vote from its battle alone: rules on texts and times, each of which names a reason. No database.

A rule that cannot tell says nothing: a vote is excluded for what was seen, never for what could not be checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

# Families and makers by which models name themselves. "Lehia" is ours, and a name given to the assistant leaks nothing.
_KNOWN_NAMES = (
    *(
        "ChatGPT",
        "GPT-3",
        "GPT-4",
        "GPT-4o",
        "GPT-5",
        "OpenAI",
        "Claude",
        "Anthropic",
        "Gemini",
        "DeepMind",
        "Copilot",
    ),
    *(
        "Llama",
        "LLaMA",
        "Meta AI",
        "Mistral",
        "Mixtral",
        "Qwen",
        "Alibaba Cloud",
        "DeepSeek",
        "Command R",
        "Cohere",
    ),
    *("Latxa", "HiTZ", "Gemma", "Falcon LLM", "Salamandra", "EuroLLM", "Grok", "xAI", "Kimi", "Moonshot AI"),
)
_LANGUAGES = ("eu", "es", "en", "fr")
_FEWEST_LETTERS = 40  # below, language identification guesses
_SURE = 0.9
_SHORTEST_NAME = 3


def leaks_identity(answers: Iterable[str], *, prompts: Iterable[str], names: Iterable[str]) -> bool:
    """Whether an answer holds the name of a model or its maker that the volunteer did not bring up.

    *names* are those of the two candidates; families of models that are widely known are looked for too.
    """
    asked = "\n".join(prompts)
    wanted = {name for name in (*_KNOWN_NAMES, *names) if len(name) >= _SHORTEST_NAME}
    unasked = [name for name in wanted if not _named(name).search(asked)]
    return any(_named(name).search(answer) for answer in answers for name in unasked)


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
def _named(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)


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
