"""E-mail addresses, plain ones and those written so that no machine should read them, and accounts of the form @name@server."""

from __future__ import annotations

import re
from collections.abc import Iterator

from arena.sanitizing.edges import END, FILLER, START, every
from arena.sanitizing.types import Found, Kind

_KNOWN_TLD = (
    r"(?:com|org|net|eus|es|fr|eu|edu|gov|info|biz|cat|gal|name|mobi|online|site|cloud|blog|app|dev|io|me|co|uk|de|it|pt|be|ch|nl|us|ca|mx|ar|cl"
    r"|example|invalid|test)"
)
_TLD = rf"(?:{_KNOWN_TLD}{END}|[^\W\d_]{{2,24}}+(?![\w{FILLER}]))"
_PLAIN = re.compile(
    rf"{START}(?P<account>@)?(?P<local>\w[\w.+%'-]{{0,127}}+)@(?:[\w-]{{1,63}}+\.){{1,8}}{_TLD}",
    re.IGNORECASE,
)

_AT_WORD = r"(?:arroba|arr?obase|a[ -]bildua)"
_OPEN, _CLOSE = r" ?[(\[{<] ?", r" ?[)\]}>] ?"
_AT = rf"(?:{_OPEN}(?:at|@|{_AT_WORD}){_CLOSE}| {_AT_WORD} |(?P<bare> at )|(?P<sign> @ |@))"
_DOT_WORD = r"(?:dot|puntu|punto|point)"
_DOT = rf"(?:{_OPEN}(?:{_DOT_WORD}|\.){_CLOSE}| {_DOT_WORD} | ?\. ?)"
_SPOKEN_DOT = rf"(?:{_OPEN}(?:{_DOT_WORD}|\.){_CLOSE}| {_DOT_WORD} )"
_HIDDEN = re.compile(
    rf"{START}\w[\w.+%-]{{0,63}}+(?:{_SPOKEN_DOT}\w[\w+%-]{{0,63}}+){{0,3}}{_AT}"
    rf"(?P<domain>\w[\w-]{{0,62}}+(?:{_DOT}\w[\w-]{{0,62}}+){{0,4}}?{_DOT}){_KNOWN_TLD}{END}",
    re.IGNORECASE,
)
_SPOKEN = re.compile(_SPOKEN_DOT, re.IGNORECASE)
HIDDEN_HOLDS = (
    *("@", "arroba", "arobase", "a bildua", "a-bildua", " at "),
    *(f"{bracket}{space}at" for bracket in "([{<" for space in ("", " ")),
)
"""One of these is in the place of the @."""


def plain(text: str) -> Iterator[Found]:
    return every(_PLAIN, text, _plain)


def hidden(text: str) -> Iterator[Found]:
    """``ane (at) example (dot) com``, ``ane arroba example puntu com``, ``ane @ example.com``."""
    return every(_HIDDEN, text, _hidden)


def _plain(match: re.Match[str]) -> Found | None:
    if match["local"].lower() == "git":  # whose repository it is comes after the colon
        return None
    kind = Kind.HANDLE if match["account"] else Kind.EMAIL
    return Found(kind, *match.span(), certain=True)


def _hidden(match: re.Match[str]) -> Found | None:
    spoken = bool(_SPOKEN.search(match["domain"]))
    if not spoken and (match["bare"] or match["sign"] == "@"):  # "look at example.com", a repository
        return None
    return Found(Kind.EMAIL, *match.span(), certain=spoken or not match["sign"])
