"""What can be found in a text, and what staff can say of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Span = tuple[int, int]
"""Where it starts and where it ends, in characters (code points), the end left out."""


class Kind(StrEnum):
    EMAIL = "email"
    PHONE = "phone"
    ID = "id"
    IBAN = "iban"
    CARD = "card"
    ADDRESS = "address"
    HANDLE = "handle"

    @property
    def tag(self) -> str:
        return f"[{self.name}]"


class Decision(StrEnum):
    OPEN = "open"
    REDACT = "redact"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Found:
    """One detail; *certain* unless it may well be something else."""

    kind: Kind
    start: int
    end: int
    certain: bool

    @property
    def span(self) -> Span:
        return self.start, self.end


@dataclass(frozen=True, slots=True)
class Redaction:
    """What goes from a text, and the tag in its place."""

    start: int
    end: int
    tag: str


@dataclass(frozen=True, slots=True)
class Decided:
    """What staff said of a span of a text, or that they have yet to say it."""

    kind: Kind
    start: int
    end: int
    decision: Decision

    @property
    def span(self) -> Span:
        return self.start, self.end
