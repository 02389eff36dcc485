"""The words of the guided checks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class CheckStep(StrEnum):
    """In the order in which they are made."""

    SERVER = "server"
    SMOKE = "smoke"
    TEMPLATE = "template"
    IDENTITY = "identity"


class CheckOutcome(StrEnum):
    """``warned``: it may serve once somebody has read why; ``unchecked``: the site itself could not look."""

    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; *detail* is plain JSON, without addresses and keys."""

    outcome: CheckOutcome
    detail: dict[str, Any]
