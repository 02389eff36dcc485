"""Names of accounts: with an @, as a profile's address, or after words that say that one follows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from arena.sanitizing.code import inside, spared
from arena.sanitizing.edges import FILLER, START, every, speaks_of
from arena.sanitizing.types import Found, Kind, Span
from arena.sanitizing.words import words

_AT = re.compile(
    rf"(?<![\w@/{FILLER}])@(?P<name>(?:[\w-]{{1,63}}+\.){{2,4}}[^\W\d_]{{2,24}}+(?![\w{FILLER}])|\w(?:\.?\w){{1,39}}+)(?![\w{FILLER}])"
)
_PROFILE = re.compile(
    rf"{START}(?:instagram|facebook|tiktok|twitter|x|threads|github|gitlab|linkedin|youtube|t)\.(?:com|net|me)/"
    rf"(?:in/|c/|user/|@)?(?P<name>\w(?:[.-]?\w){{1,39}}+)(?![\w{FILLER}])",
    re.IGNORECASE,
)
_NAMED = re.compile(
    rf"{START}(?=[^\W\d_])\w(?:[.#]?\w){{3,39}}+(?![\w{FILLER}@(])",
)
PROFILE_HOLDS = (".com/", ".net/", ".me/")
_GOES_ON = re.compile(r"/\w")
_SAYS_NAME = re.compile(
    r"\b(?:instagram|twitter|tiktok|telegram|facebook|mastodon|bluesky|discord|snapchat|erabiltzaile(?:[- ]?izen)?|usuario|user(?: ?name)?|nick(?:name)?|"
    r"pseudo(?:nyme)?|identifiant)[a-z]{0,5}(?: ?[:=]| da| es| is| est)? $",
    re.IGNORECASE,
)
BEFORE_A_NAME = (
    *("instagram", "twitter", "tiktok", "telegram", "facebook", "mastodon", "bluesky", "discord", "snapchat"),
    *("erabiltzaile", "usuario", "user", "nick", "pseudo", "identifiant"),
)
"""One of these says that a name follows."""
_OF_ACCOUNTS = re.compile(
    r"instagram|twitter|tiktok|telegram|facebook|mastodon|bluesky|discord|jarrai|\bkontua?|síg(?:ue|an)|follow|suiv|\brt\b|usuario|erabiltzaile|"
    r"user ?name|cuenta|compte|\bdm\b|eskerrik|gracias|merci|thanks",
    re.IGNORECASE,
)
_IN_CODE = words("code_words")
_MODULES = {
    *(
        "app",
        "router",
        "pytest",
        "functools",
        "dataclasses",
        "typing",
        "contextlib",
        "abc",
        "unittest",
        "mock",
        "celery",
    ),
    *("django", "admin", "property", "torch", "tf", "jax", "numba", "np", "click"),
}
_NO_PEOPLE = {
    "p",
    "explore",
    "search",
    "watch",
    "share",
    "intent",
    "hashtag",
    "about",
    "login",
    "status",
    "home",
    "settings",
    "features",
}


def handles(text: str) -> Iterator[Found]:
    """Not in code, whose decorators and scopes look the same."""
    areas = spared(text)
    return every(_AT, text, lambda match: _handle(match, areas))


def profiles(text: str) -> Iterator[Found]:
    return every(_PROFILE, text, _profile)


def named(text: str) -> Iterator[Found]:
    return every(_NAMED, text, _named)


def _handle(match: re.Match[str], areas: list[Span]) -> Found | None:
    text, name = match.string, match["name"]
    if inside(areas, match.start()) or text.startswith(("(", "/", "{"), match.end()):
        return None
    if name.isdecimal() or name.lower() in _IN_CODE or name.partition(".")[0] in _MODULES:
        return None
    telling = not name.isalpha() or not (name.islower() or name.istitle())
    return Found(Kind.HANDLE, *match.span(), telling or speaks_of(_OF_ACCOUNTS, text, match.start()))


def _profile(match: re.Match[str]) -> Found | None:
    if match["name"].lower() in _NO_PEOPLE:
        return None
    return Found(Kind.HANDLE, *match.span(), not _GOES_ON.match(match.string, match.end()))


def _named(match: re.Match[str]) -> Found | None:
    if match[0].isalpha() or not speaks_of(_SAYS_NAME, match.string, match.start()):
        return None
    return Found(Kind.HANDLE, *match.span(), "_" in match[0])
