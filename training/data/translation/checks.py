"""What is wrong with a translation, as far as that can be seen without reading Basque."""

from __future__ import annotations

import re
from dataclasses import dataclass

from training.data.prose import FENCE, INLINE_CODE, URL, is_in, letters, prose_of

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_ROMAN = re.compile(r"\b[IVXL]+\b")
_SHORT = 20  # letters; below, neither length nor language says anything
_SLACK = 20  # characters that weigh on short texts
# how a reply begins that speaks before it translates; a source that begins like that may be translated like that
_OPENS_IN_ENGLISH = re.compile(
    r"\W*(?:sure|certainly|of course|naturally|absolutely|definitely|ok(?:ay)?\b|all ?right|yes\b|agreed|here\b|below\b|the following|these are"
    r"|this is|translat|the translation|basque\b|i(?:'ve| have) translated)",
    re.IGNORECASE,
)
_OPENS_IN_BASQUE = re.compile(
    r"\W*(?:noski|jakina|bai horixe|ados\b|hona\b|honako hau|itzulpena|euskaraz:|testua euskaraz)",
    re.IGNORECASE,
)
_ABOUT_TRANSLATION = re.compile(r"itzul(?:pen|i)|translat", re.IGNORECASE)
_DECLINED = re.compile(
    r"\W*(?:i(?:'m| am|’m) sorry|i apologi[sz]e|sorry\b|i can(?:'t|’t|not)|i(?:'m| am|’m) (?:unable|not able)|as an ai"
    r"|barkatu|sentitzen dut|ezin (?:dut|dizut|diot|dugu|naiz)|lamento)",
    re.IGNORECASE,
)
_ENGLISH_DECLINES = re.compile(
    r"sorry|apolog|can(?:'t|’t|not)|unable|not able|as an ai|excuse|regret|forgive|pardon", re.IGNORECASE
)
_HEAD = 80  # characters in which a reply talks about itself


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a translation may be, in characters a character of its source; short texts have some slack."""

    least_ratio: float = 0.5
    most_ratio: float = 2.0


def fault(source: str, target: str, *, cut: bool, limits: Limits) -> str | None:
    """Why a translation is not taken, the plainest reason first; ``None`` where nothing is seen."""
    checks = (
        ("an empty translation", not target.strip()),
        ("a translation cut by the length limit", cut),
        ("a refusal", _declines(source, target)),
        ("words about the translation", _is_announced(source, target)),
        ("code that was not there", _fences(target) > _fences(source)),
        ("code that was not kept", not _code(source) <= _code(target)),
        ("a link that was not kept", _links(source) != _links(target)),
        ("a number that was not kept", not same_numbers(source, target)),
        ("a length that does not fit", not _fits(source, target, limits)),
        ("a translation in another language", not _is_basque(source, target)),
    )
    return next((reason for reason, found in checks if found), None)


def same_numbers(source: str, target: str) -> bool:
    """Whether both texts hold the same numbers in digits, in any order.

    Separators do not count (3.5 is 3,5 and 1,000 is 1.000), and a number may have become a Roman one, as centuries do in Basque.
    """
    before, after = _numbers(source), _numbers(target)
    roman = set(_ROMAN.findall(prose_of(target)))
    return after <= before and all(roman_of(int(number)) in roman for number in before - after)


def roman_of(number: int) -> str:
    """A number from 1 to 39 in Roman digits; nothing for others."""
    if not 1 <= number <= 39:
        return ""
    ones = ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")
    return "X" * (number // 10) + ones[number % 10]


def _numbers(text: str) -> set[str]:
    return {re.sub(r"[.,]", "", found) for found in _NUMBER.findall(prose_of(text))}


def _links(text: str) -> set[str]:
    return set(URL.findall(text))


def _code(text: str) -> set[str]:
    return {code for _, code in INLINE_CODE.findall(FENCE.sub("", text))}


def _fences(text: str) -> int:
    return text.count("```")


def _declines(source: str, target: str) -> bool:
    return _DECLINED.match(target) is not None and not _ENGLISH_DECLINES.search(source)


def _is_announced(source: str, target: str) -> bool:
    if "<text>" in target or "</text>" in target:
        return "<text>" not in source and "</text>" not in source
    begins = _OPENS_IN_ENGLISH.match(target) or _OPENS_IN_BASQUE.match(target)
    if begins and not _OPENS_IN_ENGLISH.match(source):
        return True
    return bool(
        begins and _ABOUT_TRANSLATION.search(target[:_HEAD]) and not _ABOUT_TRANSLATION.search(source)
    )


def _fits(source: str, target: str, limits: Limits) -> bool:
    ratio = (len(target) + _SLACK) / (len(source) + _SLACK)
    return limits.least_ratio <= ratio <= limits.most_ratio


def _is_basque(source: str, target: str) -> bool:
    return letters(prose_of(source)) < _SHORT or is_in("eu", target, fewest=_SHORT)
