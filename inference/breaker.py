"""The circuit breaker of an endpoint: a pure state machine; its state is a row that all processes share.

::

    CLOSED --failures in a row reach the threshold, or a refusal--> OPEN
    OPEN or HALF_OPEN --its time has come, one request claims the trial--> HALF_OPEN
    HALF_OPEN --the trial worked--> CLOSED
    HALF_OPEN --the trial failed--> OPEN, for a longer pause
    HALF_OPEN --the trial told nothing--> OPEN, due at once
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from inference.errors import StreamErrorCode
from inference.types import CircuitState


class Admission(StrEnum):
    """What a request may do: pass, pass as the one trial, or not pass."""

    YES = "yes"
    TRIAL = "trial"
    NO = "no"


class Verdict(StrEnum):
    """What a request's end tells about the endpoint. ``REFUSED``: no other request will fare better until an admin mends it."""

    WORKED = "worked"
    FAILED = "failed"
    REFUSED = "refused"
    NOTHING = "nothing"


_VERDICTS = {
    StreamErrorCode.CONNECT: Verdict.FAILED,
    StreamErrorCode.TIMEOUT: Verdict.FAILED,
    StreamErrorCode.SERVER: Verdict.FAILED,
    StreamErrorCode.MALFORMED: Verdict.FAILED,
    StreamErrorCode.UNAUTHORIZED: Verdict.REFUSED,
    StreamErrorCode.MODEL_NOT_FOUND: Verdict.REFUSED,
    StreamErrorCode.EMPTY: Verdict.WORKED,  # a good stream, and a model's own silence
}


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When a circuit opens and for how long.

    Parameters
    ----------
    threshold
        Failures in a row that open it.
    pause
        How long the first opening lasts; each failed trial doubles it.
    cap
        The longest pause.
    """

    threshold: int = 5
    pause: timedelta = timedelta(seconds=15)
    cap: timedelta = timedelta(minutes=5)

    def pause_after(self, failures: int) -> timedelta:
        doublings = min(max(0, failures - self.threshold), 32)
        return min(self.cap, self.pause * (1 << doublings))


@dataclass(frozen=True, slots=True)
class Breaker:
    """A circuit as its row tells it. ``failures`` in a row, trials included; both times are set unless it is closed."""

    state: CircuitState = CircuitState.CLOSED
    failures: int = 0
    opened_at: datetime | None = None
    retry_at: datetime | None = None

    def admission(self, now: datetime) -> Admission:
        """Whether a request may pass at *now*. A trial must still be claimed: see :meth:`claimed`."""
        if self.state is CircuitState.CLOSED or self.retry_at is None:
            return Admission.YES
        return Admission.TRIAL if self.retry_at <= now else Admission.NO

    def claimed(self, now: datetime, lease: timedelta) -> Breaker:
        """One request is the trial. If it is never heard of again, another may try when *lease* is over."""
        return replace(self, state=CircuitState.HALF_OPEN, retry_at=now + lease)

    def after(self, verdict: Verdict, *, trial: bool, now: datetime, policy: BreakerPolicy) -> Breaker:
        """The circuit after a request's end.

        Only the trial moves a circuit that is not closed: requests that began before it opened tell nothing new.
        """
        if self.state is not CircuitState.CLOSED and not trial:
            return self
        match verdict:
            case Verdict.WORKED:
                return Breaker()
            case Verdict.FAILED | Verdict.REFUSED:
                return self._failed(verdict, now, policy)
            case Verdict.NOTHING:
                if self.state is CircuitState.CLOSED:
                    return self
                return replace(self, state=CircuitState.OPEN, retry_at=now)

    def _failed(self, verdict: Verdict, now: datetime, policy: BreakerPolicy) -> Breaker:
        failures = self.failures + 1
        if verdict is Verdict.REFUSED:
            failures = max(failures, policy.threshold)
        if self.state is CircuitState.CLOSED and failures < policy.threshold:
            return Breaker(failures=failures)
        return Breaker(CircuitState.OPEN, failures, self.opened_at or now, now + policy.pause_after(failures))


def verdict_on(code: StreamErrorCode) -> Verdict:
    """What an error tells about its endpoint. A bad request, a rate limit and what the gateway itself refused tell nothing."""
    return _VERDICTS.get(code, Verdict.NOTHING)
