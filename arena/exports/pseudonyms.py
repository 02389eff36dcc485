"""Names that tell rows of one person apart and say nothing of who that is.

HMAC-SHA256 with a key that belongs to one release, or to one name of ad hoc exports: the same key gives the same names, another key gives names that say
nothing of these. Rows get ids by the same key. Two files that both hold texts or exact times can still be matched row by row.
"""

from __future__ import annotations

import base64
import hmac
from uuid import UUID, uuid5

from arena.exports.records import Id

KEY_BYTES = 32
_NAME_BYTES = 10
_TEXTS = UUID("3d0a0a38-5e5c-4f0c-9a52-9c1f0e3b7d11")


class Pseudonyms:
    """Made with one key of :data:`KEY_BYTES` bytes."""

    def __init__(self, key: bytes) -> None:
        if len(key) < KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes at least")
        self._key = key

    def name(self, person: Id) -> str:
        """Sixteen letters and digits."""
        return base64.b32encode(self._digest(b"person", person)[:_NAME_BYTES]).decode().lower()

    def id(self, row: Id) -> str:
        """A random-looking UUID in place of a row's own."""
        return str(UUID(bytes=self._digest(b"row", row)[:16], version=4))

    def text(self, text: str) -> str:
        """A random-looking UUID that equal texts share."""
        return str(UUID(bytes=self._digest(b"text", text)[:16], version=4))

    def _digest(self, purpose: bytes, what: Id) -> bytes:
        own = what.bytes if isinstance(what, UUID) else what.encode()
        return hmac.digest(self._key, purpose + own, "sha256")


class Published:
    """The names and ids of a published source stay as everybody knows them."""

    def name(self, person: Id) -> str:
        return str(person)

    def id(self, row: Id) -> str:
        return str(row)

    def text(self, text: str) -> str:
        return str(uuid5(_TEXTS, text))
