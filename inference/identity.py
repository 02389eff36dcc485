"""Names by which models and their makers give themselves away."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

# Families and makers by which models name themselves. "Lehia" is ours, and a name given to the assistant leaks nothing.
KNOWN_NAMES = (
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
# Words of Basque or Spanish too, which only their spelling tells apart: "hitz" is a word, and "llama" calls.
_AS_SPELT = frozenset({"HiTZ", "Llama", "LLaMA", "Mistral", "Salamandra"})
_SHORTEST_NAME = 3


def named(text: str, names: Iterable[str] = ()) -> list[str]:
    """Which of *names* and of :data:`KNOWN_NAMES` the text holds as words of their own, sorted; names under three letters are left aside."""
    return sorted(
        name for name in {*KNOWN_NAMES, *names} if len(name) >= _SHORTEST_NAME and _pattern(name).search(text)
    )


@cache
def _pattern(name: str) -> re.Pattern[str]:
    flags = re.NOFLAG if name in _AS_SPELT else re.IGNORECASE
    return re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", flags)
