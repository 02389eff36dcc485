"""The words of a probe."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from inference.types import EndpointHealth


class StepName(StrEnum):
    """What a probe does, in this order on pages."""

    HEALTH = "health"
    MODELS = "models"
    COMPLETION = "completion"
    METRICS = "metrics"


class Detail(StrEnum):
    """Why a health is what it is, beyond the codes of :class:`inference.errors.StreamErrorCode`."""

    REFUSED = "refused"
    KEY_UNREADABLE = "key_unreadable"
    BUSY = "busy"
    ERRORS = "errors"
    SLOW = "slow"


class Hindrance(StrEnum):
    """The site's own trouble, for which no endpoint is to blame."""

    RESOLVER = "resolver"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a probe. Nothing in it names an address or a key.

    Parameters
    ----------
    name
        Which step.
    ok
        Whether it went well.
    ms
        How long it took, in milliseconds.
    said
        A code of what went wrong; empty where nothing did.
    facts
        Small things seen: counts, a status, whether the model is listed.
    """

    name: StepName
    ok: bool
    ms: int
    said: str = ""
    facts: dict[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        found = {"step": self.name.value, "ok": self.ok, "ms": self.ms}
        return found | ({"said": self.said} if self.said else {}) | (self.facts or {})


@dataclass(frozen=True, slots=True)
class Load:
    """How full a server is: requests at work, requests waiting, and the share of its KV cache in use."""

    running: int
    waiting: int
    kv_cache: float | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Sight:
    """All that one probe saw.

    Parameters
    ----------
    steps
        In the order of :class:`StepName`; a provider that lacks a path lacks the step.
    first_token_ms
        To the first token of the completion, in milliseconds; ``None`` where none came.
    error
        Code of what hindered the completion; empty where nothing did.
    load
        The server's own figures, where it tells them.
    hindrance
        Set where the site itself could not look; nothing else is known then.
    """

    steps: tuple[Step, ...] = ()
    first_token_ms: int | None = None
    error: str = ""
    load: Load | None = None
    hindrance: Hindrance | None = None


@dataclass(frozen=True, slots=True)
class Recent:
    """Requests that a server was asked in the last quarter of an hour; what the site itself refused is not among them."""

    requests: int = 0
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    health: EndpointHealth
    detail: str = ""
