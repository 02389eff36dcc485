"""Names of models and makers in running text, with Basque case endings, versions and careless spelling."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

NAME, WORD = "§", "¤"
"""What a marked text has in a name's place, its ending kept: a name for sure, or an ordinary word that could be one."""

_FAMILIES = (
    *(
        "Chat[ -]?GPT",
        "GPT",
        "Open[ -]?AI",
        "o1-mini",
        "Claude",
        "Anthropic",
        "Gemini",
        "Gemma",
        "PaLM",
        "Bard",
    ),
    *(
        "Deep[ -]?Mind",
        "Google",
        "Copilot",
        "Microsoft",
        "LLaMA",
        "Meta",
        "Facebook",
        "Mistral",
        "Mixtral",
        "Ministral",
    ),
    *(
        "Qwen",
        "Tongyi",
        "Alibaba",
        "Deep[ -]?Seek",
        "Command[ -]R",
        "Cohere",
        "Aya",
        "Grok",
        "xAI",
        "Kimi",
        "Moonshot",
    ),
    *(
        "Latxa",
        "HiTZ",
        "Salamandra",
        "EuroLLM",
        "Falcon",
        "Phi-?[1-4]",
        "Nemotron",
        "NVIDIA",
        "IBM",
        "Granite",
        "Apple",
    ),
    *(
        "Amazon",
        "Baidu",
        "Tencent",
        "Hunyuan",
        "ByteDance",
        "Doubao",
        "Zhipu",
        "ChatGLM",
        "MiniMax",
        "Hugging ?Face",
    ),
    *(
        "Perplexity",
        "AI2",
        "OLMo",
        "Stability AI",
        "Aleph Alpha",
        "Databricks",
        "Elhuyar",
        "Orai NLP",
        "Vicomtech",
    ),
    *(
        "Barcelona Supercomputing Center",
        "BSC",
        "Telefónica",
        "Yandex",
        "Sberbank",
        "Samsung",
        "Huawei",
        "Nous Research",
    ),
)
_PLAIN_WORDS = {
    *(
        "meta",
        "llama",
        "latxa",
        "mistral",
        "command",
        "falcon",
        "salamandra",
        "apple",
        "amazon",
        "grok",
        "aya",
        "bard",
    ),
    *("granite", "palm", "kimi"),
}
"""Words of Basque, Spanish, French or English too: written small, they are taken for names only where nothing else can be meant."""
_ALWAYS_WORDS = {"hitz", "Hitz"}
"""The Basque for "word", where HiTZ is a maker."""

_VERSION = (
    r"(?:[ -]?v?\d+(?:[.,]\d+)*[a-z]{0,2}?)?"
    r"(?:[ -](?:ai|cloud|pro|flash|ultra|sonnet|opus|haiku|turbo|mini|nano|instruct|chat|base|code|\d+(?:[.,]\d+)?[bm]))*"
)
_ENDING = (
    r"(?:[-'’]?(?:a|ak|ari|aren|arekin|e?k|r?i|e?z|r?e?kin|r?en(?:a|ak|ek|tzat|tzako|gatik|gan|gandik|gana|ganako)?"
    r"|[et]?(?:tik|dik)|e?ra(?:ko|koa|ino|ntz)?|[et]?[kg]o(?:a|ak|ek|ari|rekin|en)?|n|tzat|r?ik|s))?"
)
# Somebody or something else of that name: Jean-Claude, the mistral, a llama; Claude Monet, mistral haizea, Meta bat, Latxa ardiak.
_BEFORE = r"(?<!\w)(?<![Jj]ean-)(?<![Gg]abriela )(?<![Ff]rédéric )(?<!roject )"
_AFTER_WORD = r"(?! (?:bat|bakar|haize|ardi|gazta|animali|hegoal|arraza|esne|proiektu|vent|viento|wind)\w*)"
_SURNAME = re.compile(r"[ -][A-ZÁÉÍÓÚÈÀ]\w+")
_ARTICLE = re.compile(r"\b(?:una?|la|le|les|las|los|el|du|the|an?|mi|tu|su)$", re.IGNORECASE)
_SIZES = re.compile(r"[ _.-]*(?:v?\d+(?:[.,]\d+)*[a-z]?(?![a-z0-9])|instruct|chat|base).*$", re.IGNORECASE)
_SHORTEST = 3
_SHORTEST_FAMILY = 4


def marked(text: str, *, own: Iterable[str] = (), but: Iterable[str] = ()) -> str:
    """The text with a mark in place of each name: those that are widely known, and the families and makers in *own*; names in *but* are left as they are."""
    spared = {each.casefold() for each in but}

    def mark(found: re.Match[str]) -> str:
        return found[0] if found["name"].casefold() in spared else _mark(found)

    return _pattern(_longest_first(own)).sub(mark, text)


def named_in(text: str, *, own: Iterable[str] = ()) -> set[str]:
    """The names that :func:`marked` would mark."""
    return {
        found["name"] for found in _pattern(_longest_first(own)).finditer(text) if _mark(found) != found[0]
    }


def named(text: str, own: Iterable[str] = ()) -> list[str]:
    """Every name the text holds: those in *own* as they stand, and what :func:`named_in` finds."""
    return sorted({name for name in own if holds(text, name)} | named_in(text))


def families(names: Iterable[str]) -> set[str]:
    """What is left of models' names without version and size, where that is long enough to be told from other words."""
    shortened = {_SIZES.sub("", name) for name in names}
    return {each for each in shortened if len(each) >= _SHORTEST_FAMILY}


def parted(names: Iterable[str]) -> set[str]:
    """Each maker of a list such as "HiTZ (UPV/EHU), Elhuyar"."""
    parts = (part.strip() for name in names for part in re.split(r"[,;()]| eta | and | y | et ", name))
    return {each for each in parts if len(each) >= _SHORTEST}


def holds(text: str, name: str) -> bool:
    """Whether the text has exactly this name, whatever its case and its ending."""
    return len(name) >= _SHORTEST and bool(_exact(name).search(text))


def is_telling(name: str) -> bool:
    """Whether a candidate's name can be nothing else: several words, a figure or a sign in it; not one plain word."""
    return len(name) >= _SHORTEST and not name.isalpha()


def _longest_first(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({*names}, key=lambda each: (-len(each), each)))


@lru_cache(maxsize=1000)
def _exact(name: str) -> re.Pattern[str]:
    spelt = r"[ _-]".join(map(re.escape, re.split(r"[ _-]", name)))
    return re.compile(rf"(?<!\w){spelt}{_ENDING}(?!\w)", re.IGNORECASE)


@lru_cache(maxsize=1000)
def _pattern(own: tuple[str, ...]) -> re.Pattern[str]:
    ordered = (*map(re.escape, own), *sorted(_FAMILIES, key=len, reverse=True))
    return re.compile(
        rf"{_BEFORE}(?P<name>{'|'.join(ordered)}){_VERSION}(?P<ending>{_ENDING})(?!\w){_AFTER_WORD}",
        re.IGNORECASE,
    )


def _mark(found: re.Match[str]) -> str:
    name = found["name"]
    if name in _ALWAYS_WORDS:
        return found[0]
    ending = found["ending"].lower().lstrip("-'’")
    if name.lower() == "claude" and _SURNAME.match(found.string, found.end()):
        return found[0]
    plain = name.lower() in _PLAIN_WORDS
    if plain and _ARTICLE.search(found.string[: found.start()].rstrip()):
        return found[0]
    return (WORD if plain and name.islower() else NAME) + ending
