"""The rule itself: an answer leaks who gave it when it says who it is, not when it speaks about companies, models or llamas."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from inference.identity.claims import CLAIMS, DENIALS, LIKENESSES, NOBODY, UNKNOWN
from inference.identity.names import NAME, WORD, families, holds, is_telling, marked, named_in, parted


@dataclass(frozen=True, slots=True)
class Exchange:
    """One message and one answer to it."""

    prompt: str
    answer: str


_QUOTED = re.compile(r"«([^«»]*)»|“([^“”]*)”|\"([^\"\n]*)\"|‘([^‘’]*)’")
_SPOKEN = re.compile(r"^\s*[—–].*$", re.MULTILINE)
_SENTENCE = re.compile(r"(?<=[.!?…;])[»”\"]?\s+|\n+")
_EMPHASIS = re.compile(r"\*{1,3}|`|(?<!\w)_{1,2}|_{1,2}(?!\w)|^\s*#+ |^\s*>+ ", re.MULTILINE)
_ONLY_NAMES = re.compile(rf"(?:[{NAME}{WORD}]\w*[ ,-]*)+")
_MENTION = re.compile(rf"[{NAME}{WORD}]\w*")
_SET_PIECE = re.compile(
    r"imajinatu|jokatu|antzez|antzerki|paper[ae]|rola|bazina|itzul|errepika|zuzendu|ondoko|pretend|imagin|act as|role|translat|repeat"
    r"|actúa|haz de|finge|traduc|repite|joue|fais semblant|tradui|répète",
    re.IGNORECASE,
)
"""Messages that ask for somebody else's words: names in them are that somebody's."""
_WHO = re.compile(
    r"\bnor (?:zara|haiz|zaren)|\bze(?:r|in) (?:eredu )?(?:mota )?zara|\bnork \w+ (?:zaitu|zintuen)|\bzure (?:izena|egilea|sortzailea)|duzu izena|deitzen zara"
    r"|quién (?:eres|te)|qué (?:modelo )?eres|cómo te llamas|who (?:are|made|built|created|trained|developed) you|who is there"
    r"|(?:which|what) (?:ai )?model are you"
    r"|your name|qui es-tu|qui t'a|quel modèle|comment t'appelles",
    re.IGNORECASE,
)
_IS_IT = re.compile(
    rf"[{NAME}{WORD}]\w*,? (?:al )?zara\b|[{NAME}]e?k \w+ (?:al )?zaitu|\bare you {NAME}|\beres {NAME}|\b(?:es-tu|tu es) {NAME}",
    re.IGNORECASE,
)
_YES = re.compile(
    r"^\W*(?:bai|hala da|noski|sí|si|yes|oui)\b(?!.{0,40}\b(?:ez|no|not|pas|baina|but|pero|mais)\b)",
    re.IGNORECASE,
)
_LONGEST = 300  # characters of a sentence: the patterns look back and forth
_MOST_WORDS = 8  # of a reply that is a name and little else


def leaks_identity(
    chat: Sequence[Exchange],
    *,
    names: Iterable[str] = (),
    makers: Iterable[str] = (),
    system_prompt: str = "",
) -> bool:
    """Whether an answer says who gave it.

    *names* are the candidates' own, which tell by being there at all unless the volunteer brought them up; *makers* and all widely known names tell only where
    the assistant speaks of itself. A name in *system_prompt* was given to the assistant and tells nothing.
    """
    own = {name for name in names if not holds(system_prompt, name)}
    known = {*families(own), *parted(makers)}
    asked = ""
    for each in chat:
        asked = f"{asked}\n{each.prompt}"
        if any(is_telling(name) and holds(each.answer, name) and not holds(asked, name) for name in own):
            return True
        if _claims(each, known=known, given=f"{system_prompt}\n{asked if _SET_PIECE.search(asked) else ''}"):
            return True
    return False


def _claims(each: Exchange, *, known: set[str], given: str) -> bool:
    text, spared = _plain(each.answer), named_in(given, own=known)
    sentences = _sentences(_own_words(marked(text, own=known, but=spared)))
    if any(CLAIMS.search(sentence) for sentence in sentences if _MENTION.search(sentence)):
        return True
    prompt = marked(each.prompt, own=known, but=spared)
    if _IS_IT.search(prompt) and sentences and _YES.search(sentences[0]):
        return True
    if _WHO.search(each.prompt) and not _MENTION.search(prompt) and _is_little_but_a_name(sentences):
        return True
    return any(_names_a_maker(sentence, f"{given}\n{each.prompt}") for sentence in _pieces(_own_words(text)))


def _plain(text: str) -> str:
    return _EMPHASIS.sub("", text.replace(NAME, "").replace(WORD, "").replace("’", "'"))


def _own_words(text: str) -> str:
    """Without what it quotes or lets others say; a name alone in quotation marks stays."""

    def kept(found: re.Match[str]) -> str:
        inner = next(group for group in found.groups() if group is not None)
        return inner if _ONLY_NAMES.fullmatch(inner) else "…"

    return _SPOKEN.sub("", _QUOTED.sub(kept, text))


def _sentences(text: str) -> list[str]:
    said = (LIKENESSES.sub("", DENIALS.sub("", each)).strip() for each in _pieces(text))
    return [each for each in said if each]


def _pieces(text: str) -> Iterator[str]:
    """Its sentences, and endless ones in parts, so that no text takes longer than its length says."""
    for each in _SENTENCE.split(text):
        yield from (each[start : start + _LONGEST] for start in range(0, len(each), _LONGEST))


def _is_little_but_a_name(sentences: list[str]) -> bool:
    return bool(sentences) and NAME in sentences[0] and len(sentences[0].split()) <= _MOST_WORDS


def _names_a_maker(sentence: str, given: str) -> bool:
    denied = DENIALS.sub("", sentence)
    found = chain.from_iterable(pattern.finditer(denied) for pattern in UNKNOWN)
    return any(each["maker"] not in NOBODY and not holds(given, each["maker"]) for each in found)
