"""Numbers with check digits: DNI and NIE, IBANs and older account numbers, cards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from stdnum import luhn, numdb
from stdnum.es import ccc, dni, nie
from stdnum.iso7064 import mod_97_10

from arena.sanitizing.edges import END, START, every, speaks_of
from arena.sanitizing.types import Found, Kind

_END = re.compile(END, re.IGNORECASE)
_IN_A_WORD = re.compile(r"\w")
_NOT_KEPT = re.compile(r"[ .-]")

_IBAN_HEAD = re.compile(rf"{START}[A-Za-z]{{2}}[0-9]{{2}}(?=[ .-]?[A-Za-z0-9])")
_IBAN_NEXT = re.compile(r"[ .-]?[A-Za-z0-9]")
_ACCOUNT = re.compile(rf"{START}[0-9]{{4}}([ -]?)[0-9]{{4}}\1[0-9]{{2}}\1[0-9]{{10}}{END}", re.IGNORECASE)
_CARD = re.compile(
    rf"{START}(?:(?P<four>[2-6][0-9]{{3}}([ .-])[0-9]{{4}}\2[0-9]{{4}}\2[0-9]{{1,7}}+)|(?P<amex>3[0-9]{{3}}([ .-])[0-9]{{6}}\4[0-9]{{5}})"
    rf"|[2-6][0-9]{{12,18}}+){END}",
    re.IGNORECASE,
)
_OF_CARDS = re.compile(
    r"txartel|tarjeta|\bcards?\b|\bcarte\b|visa|master ?card|amex|american express", re.IGNORECASE
)

_DNI = re.compile(
    rf"{START}(?P<digits>[0-9]{{8}}|[0-9]{{2}}(?P<point>[ .])[0-9]{{3}}(?P=point)[0-9]{{3}})(?P<gap> ?- ?| {{0,2}})(?P<letter>[A-HJ-NP-TV-Z]){END}",
    re.IGNORECASE,
)
_NIE = re.compile(
    rf"{START}[XYZ][ -]?(?:[0-9]{{7}}|[0-9]\.[0-9]{{3}}\.[0-9]{{3}})[ -]?[A-Z]{END}", re.IGNORECASE
)
_DIGITS_OF_DNI = re.compile(rf"{START}(?:[0-9]{{8}}|[0-9]{{2}}\.[0-9]{{3}}\.[0-9]{{3}}){END}", re.IGNORECASE)
_OF_PAPERS = re.compile(
    r"(?:\b(?:dni|nan|nif|nie|aiz|ifz|ifk)[a-z]{0,5}|identi(?:fi|t)\w+|documento|agiri\w*|\bid)\b[^.;\n]*$",
    re.IGNORECASE,
)
_CALLS_IT_DNI = re.compile(
    r"\b(?:dni|nan|nif|ifz)[a-z]{0,5}(?: ?-? ?(?:zenbaki\w*|número|numero|number|n\.?º))?[ :(=]{1,3}(?:(?:hau|es|is|da|el|est|:) ?){0,2}$",
    re.IGNORECASE,
)


def ibans(text: str) -> Iterator[Found]:
    return every(_IBAN_HEAD, text, _iban)


def accounts(text: str) -> Iterator[Found]:
    """Spanish account numbers of twenty digits, as they were before the IBAN."""
    return every(_ACCOUNT, text, _account)


def cards(text: str) -> Iterator[Found]:
    return every(_CARD, text, _card)


def foreigners(text: str) -> Iterator[Found]:
    return every(_NIE, text, _nie)


def citizens(text: str) -> Iterator[Found]:
    return every(_DNI, text, _dni)


def citizens_without_letter(text: str) -> Iterator[Found]:
    """Eight digits that the text calls a DNI; others are not looked at."""
    return every(_DIGITS_OF_DNI, text, _dni_digits)


@cache
def _lengths() -> dict[str, int]:
    """How many characters an IBAN has, by country."""
    return {
        country: 4 + sum(map(int, re.findall(r"[0-9]+", info["bban"])))
        for _, country, _, info, _ in numdb.get("iban").prefixes
    }


def _iban(match: re.Match[str]) -> Found | None:
    text, end = match.string, match.end()
    for _ in range(_lengths().get(match[0][:2].upper(), 0) - 4):
        step = _IBAN_NEXT.match(text, end)
        if step is None:
            return None
        end = step.end()
    if end == match.end() or not _END.match(text, end):
        return None
    number = _NOT_KEPT.sub("", text[match.start() : end])
    certain = bool(mod_97_10.is_valid(number[4:] + number[:4]))
    if certain or (number.startswith("ES") and number[2:].isdecimal()):
        return Found(Kind.IBAN, match.start(), end, certain)
    return None


def _account(match: re.Match[str]) -> Found | None:
    return Found(Kind.IBAN, *match.span(), certain=True) if ccc.is_valid(match[0]) else None


def _card(match: re.Match[str]) -> Found | None:
    digits, told = _NOT_KEPT.sub("", match[0]), speaks_of(_OF_CARDS, match.string, match.start())
    if len(digits) < 13 or not (told or luhn.is_valid(digits)):
        return None
    grouped = bool(match["four"] or match["amex"])
    certain = luhn.is_valid(digits) and (told or grouped or len(digits) in {15, 16})
    return Found(Kind.CARD, *match.span(), certain)


def _nie(match: re.Match[str]) -> Found | None:
    told, valid = speaks_of(_OF_PAPERS, match.string, match.start()), nie.is_valid(match[0].replace(".", ""))
    if not (told or valid):
        return None
    return Found(Kind.ID, *match.span(), valid and (told or match[0].isupper()))


def _dni(match: re.Match[str]) -> Found | None:
    told = speaks_of(_OF_PAPERS, match.string, match.start())
    loose = match["gap"].isspace() or match["letter"].islower()
    if (
        match["gap"].isspace()
        and match["letter"].islower()
        and (not told or _IN_A_WORD.match(match.string, match.end()))
    ):
        return None  # a number and the next word
    valid = dni.is_valid(_NOT_KEPT.sub("", match["digits"]) + match["letter"].upper())
    if not (told or valid):
        return None
    return Found(Kind.ID, *match.span(), valid and (told or not loose))


def _dni_digits(match: re.Match[str]) -> Found | None:
    told = speaks_of(_CALLS_IT_DNI, match.string, match.start())
    return Found(Kind.ID, *match.span(), certain=True) if told else None
