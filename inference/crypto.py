"""Keys and seeds at rest: encrypted with the first of ``LEHIA_FIELD_KEYS``, readable with any of them."""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from inference.errors import KeyUnreadable


def _cipher() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.LEHIA_FIELD_KEYS])


def encrypt(secret: str) -> str:
    """The secret as a token; the empty secret stays empty."""
    return _cipher().encrypt(secret.encode()).decode() if secret else ""


def decrypt(token: str) -> str:
    """The secret of a token. Raises :class:`KeyUnreadable` when none of the keys made it."""
    if not token:
        return ""
    try:
        return _cipher().decrypt(token.encode()).decode()
    except InvalidToken:
        raise KeyUnreadable("it was encrypted with a key that LEHIA_FIELD_KEYS lacks") from None


def is_current(token: str) -> bool:
    """Whether the first of the keys made the token."""
    try:
        Fernet(settings.LEHIA_FIELD_KEYS[0]).decrypt(token.encode())
    except InvalidToken:
        return False
    return True


def renewed(token: str) -> str:
    """The token as the first of the keys makes it; the same one where it did. Raises :class:`KeyUnreadable`."""
    return token if not token or is_current(token) else encrypt(decrypt(token))
