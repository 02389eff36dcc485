"""Where a list goes on: signed, so that nobody makes one up, and of one list alone."""

from __future__ import annotations

from django.core import signing

from arena.api.problems import Fault, invalid


def write(of: str, *key: str) -> str:
    """The place in the list *of* after the row with this key."""
    return signing.dumps(key, salt=f"arena.api.{of}")


def read(of: str, cursor: str) -> list[str]:
    """The key that :func:`write` was given. Raises ``ApiProblem``, 422, for another list's or a changed cursor."""
    try:
        key: list[str] = signing.loads(cursor, salt=f"arena.api.{of}")
    except signing.BadSignature:
        says = (
            "No cursor of this list. Take it from `next` of the page before, or leave it out to begin anew."
        )
        raise invalid(Fault(where="query.cursor", says=says)) from None
    return key
