"""From what was seen to a health. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from inference.errors import StreamErrorCode
from inference.health.types import Detail, Load, Recent, Sight, StepName, Verdict
from inference.types import EndpointHealth

KEPT_TIMES = 30
_FEWEST_TIMES = 5
_SLOW_FACTOR = 3
_SLOW_LEAST_MS = 2_000
_FEWEST_REQUESTS = 5
_MOST_FAILURES = 0.3
_NO_REQUESTS = Recent()
_THERE_BUT = {StreamErrorCode.EMPTY.value, StreamErrorCode.RATE_LIMITED.value}


def judge(
    sight: Sight, *, max_in_flight: int, times_ms: Sequence[int] = (), recent: Recent = _NO_REQUESTS
) -> Verdict:
    """The endpoint's health.

    Parameters
    ----------
    sight
        What the probe saw; one that was hindered has no verdict, and none is asked for.
    max_in_flight
        How many answers the site asks of the endpoint at once: more requests waiting than that is busy.
    times_ms
        First tokens of earlier probes, in milliseconds: three times their median, and over 2 s, is slow.
    recent
        Requests of volunteers: over 30 of 100 failing, from five on, is degraded.

    Returns
    -------
    Verdict
        ``down`` only where the completion failed and the server is not just busy: other paths may be closed, or not there.
    """
    is_busy = sight.load is not None and sight.load.waiting > max_in_flight
    if sight.error:
        return _failed(sight, is_busy=is_busy)
    if is_busy:
        return Verdict(EndpointHealth.DEGRADED, Detail.BUSY)
    if recent.requests >= _FEWEST_REQUESTS and recent.failures > _MOST_FAILURES * recent.requests:
        return Verdict(EndpointHealth.DEGRADED, Detail.ERRORS)
    if _is_slow(sight.first_token_ms, times_ms):
        return Verdict(EndpointHealth.DEGRADED, Detail.SLOW)
    return Verdict(EndpointHealth.LIVE)


def _failed(sight: Sight, *, is_busy: bool) -> Verdict:
    if sight.error in _THERE_BUT:
        return Verdict(EndpointHealth.DEGRADED, sight.error)
    if sight.error == StreamErrorCode.TIMEOUT and (is_busy or _works(sight.load)) and _is_healthy(sight):
        return Verdict(EndpointHealth.DEGRADED, Detail.BUSY)
    return Verdict(EndpointHealth.DOWN, sight.error)


def _works(load: Load | None) -> bool:
    return load is not None and load.running > 0 and load.waiting > 0


def _is_healthy(sight: Sight) -> bool:
    return all(step.ok for step in sight.steps if step.name is StepName.HEALTH)


def _is_slow(first_token_ms: int | None, times_ms: Sequence[int]) -> bool:
    if first_token_ms is None or len(times_ms) < _FEWEST_TIMES:
        return False
    return first_token_ms > max(_SLOW_LEAST_MS, _SLOW_FACTOR * median(times_ms))
