"""Telephone numbers: international ones, and Spanish, French, American and British ones as they are written at home."""

from __future__ import annotations

import re
from collections.abc import Iterator

import phonenumbers

from arena.sanitizing.code import inside, spared
from arena.sanitizing.edges import END, START, every, speaks_of
from arena.sanitizing.types import Found, Kind

_PREFIX = r"(?:(?<!\+)\+|00 ?)[1-9][0-9]{0,2}"
_INTERNATIONAL = re.compile(
    rf"{START}(?:\({_PREFIX}\)|{_PREFIX})(?P<rest>(?:[ ./-]?(?:\([0-9]{{1,4}}\)|[0-9])){{6,13}}+)",
    re.IGNORECASE,
)
_NATIONAL = re.compile(
    rf"{START}(?:(?:\([6-9][0-9]{{1,2}}\)|[6-9][0-9]{{1,2}})(?:[ ./-]?[0-9]){{6,7}}|0[1-9](?:[ .-]?[0-9]{{2}}){{4}}"
    rf"|(?:\([2-9][0-9]{{2}}\) ?|[2-9][0-9]{{2}}[ .-])[0-9]{{3}}[ .-][0-9]{{4}}|0[0-9]{{4}} [0-9]{{6}}|34 ?[6-9](?:[ .-]?[0-9]){{8}}){END}",
    re.IGNORECASE,
)
_END = re.compile(rf"(?<=[0-9]){END}", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9]+")
_OF_PHONES = re.compile(
    r"tel[eé]f|\bt(?:el|él|lf|fno)\b|phone|mugikor|m[oó]vil|mobile|portable|whats?app|wasap|bizum|\bdeitu|\bdei\b|llam|\bcall\b|appel|zenbakira|"
    r"n[uú]mero|zenbakia\b|\bfax\b|sms",
    re.IGNORECASE,
)
_MEASURED = re.compile(
    r" ?(?:€|\$|£|%|euro|dolar|d[oó]lar|dollar|libera|biztanle|habitant|people|"
    r"lagun\b|pertsona|persona|milio|million|mili?[oó]n|metro|met(?:er|re)|km\b|m\b|mm\b|kg\b)",
    re.IGNORECASE,
)
_TO_RECKON = re.compile(r"[=<>*^#%&] ?$")
_TOUCHED_BEFORE, _TOUCHED_AFTER = re.compile(r"[0-9][ .,:/-]$"), re.compile(r"[.,:/ -][0-9]|-X\b")
_HOME = {"0": "FR", "6": "ES", "7": "ES", "8": "ES", "9": "ES"}


def international(text: str) -> Iterator[Found]:
    return every(_INTERNATIONAL, text, _international)


def national(text: str) -> Iterator[Found]:
    """Not in code and addresses of pages, where nine digits are seldom a telephone."""
    areas, ended = spared(text), 0

    def judge(match: re.Match[str]) -> Found | None:
        nonlocal ended
        found = None if inside(areas, match.start()) else _national(match, ended)
        ended = found.end if found else ended
        return found

    return every(_NATIONAL, text, judge)


def _international(match: re.Match[str]) -> Found | None:
    """The longest valid number that begins here, or else the longest that is possible: other digits may follow it."""
    text, start, plus = match.string, match.start(), "+" in match[0]
    ends = [end for end in range(match.end(), match.start("rest"), -1) if _END.match(text, end)]
    numbers = [(end, _parsed(_international_digits(text[start:end]), None)) for end in ends]
    possible = [(end, each) for end, each in numbers if each and phonenumbers.is_possible_number(each)]
    valid = next((end for end, each in possible if phonenumbers.is_valid_number(each)), None)
    if valid is not None:
        return Found(Kind.PHONE, start, valid, certain=True)
    if not (plus and possible):
        return None
    return Found(Kind.PHONE, start, possible[0][0], speaks_of(_OF_PHONES, text, start))


def _international_digits(written: str) -> str:
    digits = "".join(_DIGITS.findall(written.replace("(0)", "")))
    return "+" + (digits if "+" in written else digits.removeprefix("00"))


def _national(match: re.Match[str], ended: int) -> Found | None:
    """*ended* is where the number before this one ends."""
    told = speaks_of(_OF_PHONES, match.string, match.start())
    groups = [len(each) for each in _DIGITS.findall(match[0])]
    if not _is_phone(match[0], groups, told=told) or (not told and _is_reckoned(match, groups, ended)):
        return None
    plainly = len(groups) > 1 and (groups != [3, 3, 3] or "-" in match[0])
    return Found(Kind.PHONE, *match.span(), told or plainly)


def _is_phone(written: str, groups: list[int], *, told: bool) -> bool:
    """Whether somebody could have this number: as a rule of their own land for nine digits and more, or of the United States where it is written so."""
    digits = "".join(_DIGITS.findall(written))
    if 1 in groups:
        return False
    if digits.startswith("0"):
        return told or len(groups) in {1, 5}
    digits = digits.removeprefix("34")
    number = _parsed(digits, "US" if len(digits) == 10 else _HOME[digits[0]])
    return number is not None and phonenumbers.is_valid_number(number)


def _is_reckoned(match: re.Match[str], groups: list[int], ended: int) -> bool:
    """Whether it is part of a longer number, a quantity, or something to reckon with."""
    text, start, end = match.string, match.start(), match.end()
    before = text[max(ended, start - 2) : start]
    round_number = groups == [3, 3, 3] and match[0].endswith("000")
    return bool(
        round_number
        or _MEASURED.match(text, end)
        or _TOUCHED_AFTER.match(text, end)
        or _TOUCHED_BEFORE.search(before)
        or (len(groups) == 1 and _TO_RECKON.search(before))
    )


def _parsed(number: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
