"""Lines that are no text: menus, notices, symbols, damage."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LETTER, _VISIBLE, _SPACE = 1, 2, 4
_MENU_WORDS, _MENU_CHARACTERS = 3, 30
_ENDS = re.compile(r"[.!?:;,…\"”»)]$")
_DIVIDERS = (" | ", " » ", " › ", " · ", " • ", " > ", " / ")
_LONGEST_NOTICE = 400
# (what a document must hold for its lines to be looked at, what the line must hold too), in lower case
_NOTICES: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "cookie",
        re.compile(
            r"onar(?:tu|tzen)|baimen|erabiltzen (?:ditu|du)|nabigat|esperientzia|accept|consent|we use|settings"
            r"|acept|utiliza(?:mos)?|navega|propias|de terceros|utilis|navigation|en savoir plus|gehiago"
        ),
    ),
    (
        "javascript",
        re.compile(r"gaitu|nabigatzaile|enable|disabled|browser|navegador|habilit|activ|navigateur"),
    ),
    ("eskubide guzti", re.compile(r"gordeta|erreserbatu|jabetza")),
    ("rights reserved", re.compile(r"all rights")),
    ("derechos reservados", re.compile(r"todos los")),
    ("droits réservés", re.compile(r"tous")),
    ("pribatutasun", re.compile(r"lege[ -]oharra|cookie|politika(?:k)?$|baldintzak.{0,40}politika")),
    ("aviso legal", re.compile(r"privacidad|cookie|contacto")),
    ("privacy policy", re.compile(r"terms|cookie|contact|imprint")),
    ("mentions légales", re.compile(r"confidentialité|cookie|contact")),
    ("©", re.compile(r"^©|copyright ?©|©.{0,20}\b(?:19|20)\d\d\b")),
)


@dataclass(frozen=True, slots=True)
class Shapes:
    """Counts of *n* lines, each of shape ``(n,)``."""

    letters: NDArray[np.int32]
    visible: NDArray[np.int32]
    spaces: NDArray[np.int32]

    def part(self, start: int, end: int) -> Shapes:
        """Those of some lines in a row; changing them changes these."""
        return Shapes(self.letters[start:end], self.visible[start:end], self.spaces[start:end])

    @classmethod
    def none(cls) -> Shapes:
        """Those of no line."""
        nothing = np.zeros(0, dtype=np.int32)
        return cls(nothing, nothing, nothing)


def _classes() -> NDArray[np.uint8]:
    """What a byte of UTF-8 counts as; a character of several bytes counts by its first."""
    table = np.zeros(256, dtype=np.uint8)
    table[0x21:0x7F] = _VISIBLE
    for low, high in ((0x41, 0x5B), (0x61, 0x7B), (0xC3, 0xE2), (0xE3, 0xEE)):
        table[low:high] = _VISIBLE | _LETTER
    table[[0xC2, 0xE2, 0xEE, 0xEF, *range(0xF0, 0xF5)]] = (
        _VISIBLE  # signs of Latin-1, typography and arrows, emoji
    )
    table[0x20] = _SPACE
    return table


_CLASSES = _classes()


def shapes(lines: Sequence[str]) -> Shapes:
    """Count characters of lines without line breaks in them, by the first byte of each in UTF-8."""
    raw = np.frombuffer("\n".join([*lines, ""]).encode(), dtype=np.uint8)
    found = _CLASSES[raw]
    if not lines:
        return Shapes.none()
    starts = np.concatenate(([0], np.flatnonzero(raw == 0x0A)[:-1] + 1))

    def count(kind: int) -> NDArray[np.int32]:
        return np.add.reduceat((found & kind) != 0, starts, dtype=np.int32)

    return Shapes(count(_LETTER), count(_VISIBLE), count(_SPACE))


def is_symbols(shape: Shapes, share: float) -> NDArray[np.bool_]:
    """Which lines have fewer letters than that share of their visible characters; empty ones have not."""
    return np.asarray((shape.visible > 0) & (shape.letters < share * shape.visible))


def is_damaged(lines: Sequence[str], text: str) -> list[int]:
    """Which of a document's lines hold the sign for what could not be decoded."""
    if "\ufffd" not in text:
        return []
    return [at for at, line in enumerate(lines) if "\ufffd" in line]


def is_notice(lines: Sequence[str], text: str) -> list[int]:
    """Which of a document's lines are notices of cookies, scripts, rights and privacy."""
    low = text.lower()
    triggers = [(trigger, pattern) for trigger, pattern in _NOTICES if trigger in low]
    if not triggers:
        return []
    found: list[int] = []
    for at, line in enumerate(lines):
        if len(line) <= _LONGEST_NOTICE:
            small = line.lower()
            if any(trigger in small and pattern.search(small) for trigger, pattern in triggers):
                found.append(at)
    return found


def is_menu(lines: Sequence[str], text: str, spaces: NDArray[np.int32], run: int) -> list[int]:
    """Which of a document's lines are menus: *run* or more short lines in a row, or one line of short parts between dividers.

    Parameters
    ----------
    lines, text, spaces
        *n* lines, the same as one text, and how many spaces each has. Empty lines do not end a run.

    Notes
    -----
    A short line has at most three words and 30 characters, begins with a letter and does not end like a sentence: lists of ingredients, dialogues and
    verse stay.
    """
    found = [at for at, line in enumerate(lines) if _is_divided(line)] if _has_dividers(text) else []
    short = np.flatnonzero(spaces < _MENU_WORDS)
    if len(short) < run:
        return found
    going: list[int] = []
    previous = -1
    for at in short.tolist():
        line = lines[at]
        if at != previous + 1 or (line and not _is_entry(line)):
            found += going if len(going) >= run else []
            going = []
        if line and _is_entry(line):
            going.append(at)
        previous = at
    found += going if len(going) >= run else []
    return found


def _is_entry(line: str) -> bool:
    return len(line) <= _MENU_CHARACTERS and line[0].isalpha() and not _ENDS.search(line)


def _has_dividers(text: str) -> bool:
    return any(divider in text for divider in _DIVIDERS)


def _is_divided(line: str) -> bool:
    return any(
        line.count(divider) >= 3 and all(len(part.split()) <= _MENU_WORDS for part in line.split(divider))
        for divider in _DIVIDERS
    )
