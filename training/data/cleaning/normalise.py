"""Characters as they should be: NFC, no controls, plain spaces, no UTF-8 that was read as something else."""

from __future__ import annotations

import re
from enum import StrEnum
from unicodedata import is_normalized, normalize


class Mend(StrEnum):
    """What was mended in a document."""

    MOJIBAKE = "mojibake"
    COMPOSED = "composed"
    CONTROLS = "controls"
    SPACES = "spaces"


# what bytes 0x80 to 0xBF look like, read as windows-1252, or as Latin-1 where windows-1252 has nothing or was not used
_SIGNS = {byte: bytes([byte]).decode("cp1252", "replace") for byte in range(0x80, 0xC0)}
_BYTES = {sign: byte for byte, sign in _SIGNS.items() if sign != "\ufffd"} | {
    chr(byte): byte for byte in (*range(0x80, 0xC0), 0xC2, 0xC3, 0xE2, 0xF0)
}
_AFTER = "[" + re.escape("".join(sign for sign in _BYTES if sign not in "ÂÃâð")) + "]"
# accented letters, signs of Latin-1, typographic signs, emoji; "SANTÉ”" would be a letter too, but no language here ends a word in Ã or Â
_MOJIBAKE = re.compile(f"(?:[ÂÃ]{_AFTER}|â[€\x80‚\x82„\x84]{_AFTER}|ð[Ÿ\x9f]{_AFTER}{_AFTER})+")
_BREAKS = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# controls, soft hyphens, zero width spaces and marks of direction, private use and halves of surrogate pairs; joiners stay, emoji need them
_CONTROLS = re.compile(
    "[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
    "\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\ue000-\uf8ff]+"
)


def normalise(text: str) -> tuple[str, frozenset[Mend]]:
    """The text with its characters mended, and what had to be; a second time changes nothing.

    Lines are kept, their white space is single spaces without any at the ends; between paragraphs stays one empty line.
    """
    found, mends = _once(text)
    while _may_be_mojibake(found) and _MOJIBAKE.search(found):
        again, more = _once(found)
        if again == found:
            break
        found, mends = again, mends | more
    return found, mends


def _once(text: str) -> tuple[str, frozenset[Mend]]:
    mends: set[Mend] = set()
    composed = text if is_normalized("NFC", text) else normalize("NFC", text)
    # what other bytes' signs mean stands in controls, so this goes first
    mended = _MOJIBAKE.sub(_decoded, composed) if _may_be_mojibake(composed) else composed
    bare = mended if mended.replace("\n", "").isprintable() else _CONTROLS.sub("", _BREAKS.sub("\n", mended))
    again = bare if is_normalized("NFC", bare) else normalize("NFC", bare)
    spaced = _spaced(again)
    steps = (
        (Mend.COMPOSED, composed != text or again != bare),
        (Mend.MOJIBAKE, mended != composed),
        (Mend.CONTROLS, bare != mended),
        (Mend.SPACES, spaced != again),
    )
    mends.update(mend for mend, changed in steps if changed)
    return spaced, frozenset(mends)


def _may_be_mojibake(text: str) -> bool:
    return not text.isascii() and any(sign in text for sign in "ÂÃâð")


def _decoded(match: re.Match[str]) -> str:
    try:
        return bytes(_BYTES[sign] for sign in match[0]).decode()
    except UnicodeDecodeError:
        return match[0]


def _spaced(text: str) -> str:
    lines: list[str] = []
    for line in text.split("\n"):
        if not line.isprintable() or "  " in line or line[:1] == " " or line[-1:] == " ":
            line = " ".join(line.split())  # noqa: PLW2901  # most lines need nothing
        if line or (lines and lines[-1]):
            lines.append(line)
    if lines and not lines[-1]:
        lines.pop()
    return "\n".join(lines)
