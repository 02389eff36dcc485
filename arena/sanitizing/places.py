"""Postal addresses as they are written in Basque, Spanish, French and English: a street with a number, a code with a town, a post box."""

from __future__ import annotations

import re
from collections.abc import Iterator

from arena.sanitizing.edges import END, FILLER, START, every, speaks_of
from arena.sanitizing.types import Found, Kind
from arena.sanitizing.words import words

_CAPITAL = r"[A-ZÀ-ÖØ-Þ][\w'’-]{0,30}+"
_NAME = rf"{_CAPITAL}(?: {_CAPITAL}){{0,3}}"

_SIDE = r"(?:ezkerra|ezker|ezk|eskuina|eskuin|esk|behea|bajo|izquierda|izqda|izda|izq|derecha|dcha|dch|der|gauche|droite|solairua)(?!\w)\.?"
_STOREY = r"(?:[0-9]{1,2}(?:\.?[ºª°]|\.|er|e(?!\w))? ?(?:\.?[a-hA-H](?!\w)|(?i:SIDE))|[0-9]{1,2}\.?[ºª°](?!\w)|(?i:SIDE)|[A-H](?!\w))".replace(
    "SIDE", _SIDE
)
_POSTAL = rf"(?:, ?| )(?:(?:C\.?P\.?|P\.?K\.?) ?)?[0-9]{{5}},? {_CAPITAL}(?:[ -]{_CAPITAL}){{0,2}}"
_TAIL = rf"(?:(?:, ?| |-|\.(?=[A-H])){_STOREY}){{0,3}}(?:{_POSTAL})?"
_PHONE_BEGINS = r"[6-9][0-9]{1,2} [0-9]{2,3}[ .-]?[0-9]"
_NUMBER = (
    rf"(?:(?:(?i:n\.? ?[º°o]|número|núm|zk|zenbakia|no)\.? ?)?(?!{_PHONE_BEGINS})(?P<number>[0-9]{{1,4}})(?![0-9]|:[0-9])"
    r"(?:[ -]?bis(?!\w)|-[0-9]{1,3}(?![0-9])|[a-hA-H](?!\w))?|(?i:s/n|z/g|z\.g\.)(?!\w))"
)
NO_NUMBER = ("s/n", "z/g", "z.g.")
"""What stands for a number, in lower case."""
_NUMBERED = rf"(?:, ?| ){_NUMBER}{_TAIL}(?=\.?(?i:{END}))"

_BASQUE_TYPE = r"(?:kale|etorbide|plaza|enparantza|hiribide|pasealeku|zumardi|errepide|auzo|ibilbide|bide|galtzada|industrialde|poligono)"
_BASQUE = re.compile(
    rf"{START}(?:{_NAME} {_BASQUE_TYPE}(?P<case>a|an|ko|ra|tik|aren|ren|ak)?|(?:[Kk]ale|KALE)(?: {_CAPITAL}){{1,3}}){_NUMBERED}"
)
_SPANISH = re.compile(
    rf"{START}(?i:c/|c\.|calle|avda|av|avenida|plaza|pza|pl|paseo|p\.?º|camino|carretera|ctra|ronda|travesía|barrio|bº|urbanización|urb|polígono|cuesta)\.?"
    rf" ?(?:(?:de|del|la|las|los|el) ){{0,3}}{_CAPITAL}(?: (?:(?:de|del|la|las|los|el|y) ){{0,3}}{_CAPITAL}){{0,4}}{_NUMBERED}"
)
_GRAN_VIA = re.compile(rf"{START}Gran V[ií]a(?: (?:(?:de|del|la) ){{0,2}}{_CAPITAL}){{0,5}}{_NUMBERED}")
_SPANISH_SMALL = re.compile(
    rf"{START}(?:[cC]/|[cC]alle ) ?[^\W\d_]\w{{1,30}}+(?: [^\W\d_]\w{{0,30}}+){{0,3}}{_NUMBERED}"
)
_FRENCH = re.compile(
    rf"{START}(?P<number>[0-9]{{1,4}})(?: ?(?:bis|ter))?,? (?i:rue|avenue|av\.|boulevard|bd|place|chemin|allées?|impasse|quai|route|cours|square|lotissement)"
    rf"(?: (?:de|du|des|la|le|les)){{0,2}} (?:[dl]['’])?{_CAPITAL}(?:[ -](?:(?:de|du|des|la|le|les) ){{0,2}}{_CAPITAL}){{0,4}}(?:{_POSTAL})?(?![\w{FILLER}])"
)
_ENGLISH = re.compile(
    rf"{START}(?P<number>[0-9]{{1,5}})[A-Za-z]? (?:{_CAPITAL} ){{1,4}}"
    rf"(?:(?:Street|Road|Avenue|Lane|Drive|Square|Boulevard|Court|Way|Close|Terrace|Crescent)(?![\w{FILLER}])"
    rf"|(?:St|Rd|Ave|Ln|Dr|Sq|Blvd|Ct)(?![\w{FILLER}])\.?)"
)
_BOX = re.compile(
    rf"{START}(?:[0-9]{{1,5}}\.? ?posta[- ]kutxa|(?:[Pp]osta[- ]kutxa|[Aa]pdo\.?|[Aa]partado(?: de [Cc]orreos)?|BP|P\.? ?O\.? Box) [0-9]{{1,5}})"
    rf"(?:{_POSTAL})?(?=(?i:{END}))"
)
_TOWN = re.compile(
    rf"{START}(?P<code>(?:0[1-9]|[1-4][0-9]|5[0-2]|64)[0-9]{{3}})(?:,? |-)(?P<town>{_CAPITAL}(?:[ -]{_CAPITAL}){{0,2}})(?![\w{FILLER}])"
)
_STREET = re.compile(
    rf"{START}(?:[Kk]ale(?: {_CAPITAL}){{1,3}}|{_NAME} {_BASQUE_TYPE}(?:an?|ko)?(?!\w)|(?:[cC]/|[Cc]alle|[Aa]venida|[Pp]laza|[Pp]aseo|[Rr]ue) ?"
    rf"(?:(?:de|del|du|des|la|las|los) ){{0,3}}{_CAPITAL}(?: {_CAPITAL}){{0,3}})(?![\w{FILLER}])"
)
_LIVES = re.compile(
    r"\bbizi (?:naiz|da|gara|dira)|nire (?:etxe|helbide)|\bvivo en|\bvive en|domicili|\bresid|\blive[sd]? (?:on|at|in)|\bhabite|helbidea:? $",
    re.IGNORECASE,
)
BEFORE_A_HOME = ("bizi ", "nire ", "vivo en", "vive en", "domicili", "resid", "live", "habite", "helbidea")
"""One of these says that somebody lives there."""
_OF_CODES = re.compile(
    r"posta[- ]kode|código postal|code postal|\bC\.?P\.?\b|\bP\.?K\.?\b|helbide|direcci[oó]n|adresse?",
    re.IGNORECASE,
)
_TOWNS = words("towns")
_YEARS = range(1500, 2100)


STREETS = (_BASQUE, _SPANISH, _GRAN_VIA, _SPANISH_SMALL, _FRENCH, _ENGLISH)


def streets(pattern: re.Pattern[str], text: str) -> Iterator[Found]:
    """A street and a number in it, as one of the *STREETS* writes it, with storey, postal code and town where they follow."""
    return every(pattern, text, _street)


def boxes(text: str) -> Iterator[Found]:
    return every(_BOX, text, lambda match: Found(Kind.ADDRESS, *match.span(), certain=True))


def towns(text: str) -> Iterator[Found]:
    return every(_TOWN, text, _town)


def streets_lived_in(text: str) -> Iterator[Found]:
    """A street without a number where the words before say that somebody lives there; others are places like any other."""
    return every(_STREET, text, _lived_in)


def _street(match: re.Match[str]) -> Found | None:
    number = match["number"]
    is_year = number is not None and int(number) in _YEARS
    return Found(Kind.ADDRESS, *match.span(), not (is_year or _counts_things(match)))


def _counts_things(match: re.Match[str]) -> bool:
    """Whether the number may count what comes next: *Plaza Berrian 64 arku*, *Kale Nagusian 12 denda*."""
    if not match[0][-1:].isdigit():
        return False
    in_it = re.search(rf"(?:an|en|ean|ko) {match['number']}$", match[0])
    return bool(in_it and re.match(r" [a-zà-ÿ]", match.string[match.end() : match.end() + 2]))


def _town(match: re.Match[str]) -> Found | None:
    listed = _first_of(match["town"]) in _TOWNS
    told = speaks_of(_OF_CODES, match.string, match.start())
    if not (listed or told) or match["code"].endswith("000"):
        return None
    return Found(Kind.ADDRESS, *match.span(), certain=listed)


def _first_of(town: str) -> str:
    """The word of a town's name that the list has, without a Basque ending that a hyphen sets off."""
    return re.split(r"[ -]", town, maxsplit=1)[0].casefold()


def _lived_in(match: re.Match[str]) -> Found | None:
    told = speaks_of(_LIVES, match.string, match.start())
    return Found(Kind.ADDRESS, *match.span(), certain=False) if told else None
