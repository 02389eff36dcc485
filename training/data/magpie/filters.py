"""Which instructions and answers are left out, each for a reason that can be counted."""

from __future__ import annotations

import re

from training.data.magpie.prompts import EOT, MARK
from training.data.magpie.tags import Tags
from training.data.prose import is_in

_ENDS_OPEN = (":", "：")
_LANGUAGE_NAMES = (
    r"(?:english|spanish|french|german|italian|portuguese|basque|catalan|chinese|mandarin|japanese|korean|russian|arabic|hindi|latin|greek|turkish"
    r"|dutch|polish|swedish)"
)
_BASQUE_NAMES = (
    r"(?:euskara|euskera|ingeles|gaztelan|gaztelera|espainier|frantses|aleman|italier|portuges|katalan"
    r"|galizi|txiner|japonier|errusier|arabier|latin)"
)
# asked of a translated set these have no answer: "translate into Spanish" becomes Basque and its answer does too
_TRANSLATION = re.compile(
    "|".join(
        (
            r"\btranslat(?:e|es|ed|ing|ions?|or)\b",
            rf"\bhow (?:do|would|can|to|should) (?:you |i |we |one )?(?:say|write|spell)\b.*\bin {_LANGUAGE_NAMES}\b",
            rf"\bwhat (?:is|does|are)\b.*\b(?:in|mean in) {_LANGUAGE_NAMES}\b",
            r"\bitzulpen",
            # "itzuli" is also "to come back": it takes a language to translate
            rf"\bitzul\w*\b.*\b{_BASQUE_NAMES}\w*|\b{_BASQUE_NAMES}(?:ra|era|ara)\b.*\bitzul",
            rf"\bnola (?:esaten|idazten) d\w+\b.*\b{_BASQUE_NAMES}\w*z\b",
            r"\btraduc(?:e|ir|ci[oó]n|es|ido|ir[ií]as?)\b|\btraduzca\b|\btradui(?:re|s|t|sez)\b|\btraduction\b",
        )
    ),
    re.IGNORECASE | re.DOTALL,
)


def stripped(text: str) -> str:
    """A sampled text without outer white space and without the end mark that some servers leave on."""
    return text.strip().removesuffix(EOT).strip()


def is_translation(text: str) -> bool:
    """Whether an instruction asks for a translation; in English, Basque, Spanish or French."""
    return _TRANSLATION.search(text) is not None


def instruction_fault(text: str, *, cut: bool, language: str) -> str | None:
    """Why an instruction, stripped, is left out before anything more is asked about it; ``None`` where it is not."""
    fault = _text_fault("an instruction", text, cut=cut, language=language)
    if fault is None and text.endswith(_ENDS_OPEN):
        return "an instruction that ends in a colon"
    if fault is None and is_translation(text):
        return "an instruction to translate"
    return fault


def tags_fault(tags: Tags, *, keep: tuple[str, ...], language: str) -> str | None:
    """Why an instruction is left out by its tags."""
    if tags.quality not in keep:
        return f"an instruction of {tags.quality} quality"
    if tags.language != language:
        return "an instruction in another language, by its tag"
    return None


def answer_fault(text: str, *, cut: bool, language: str) -> str | None:
    """Why an answer, stripped, is left out, and its instruction with it."""
    return _text_fault("an answer", text, cut=cut, language=language)


def _text_fault(what: str, text: str, *, cut: bool, language: str) -> str | None:
    if not text:
        return f"{what} without text"
    if cut:
        return f"{what} cut by the length limit"
    if MARK in text:
        return f"{what} with the template's marks"
    return None if is_in(language, text) else f"{what} in another language"
