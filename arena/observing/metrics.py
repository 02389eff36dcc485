"""What this process counts of itself for Prometheus, beside the gateway's figures. Labels are words of ours, a few tens each; none names a model.

What is one for the whole site, whichever process is asked, is in :mod:`arena.observing.site`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram

from arena.protocol import ServerFrame
from inference.metrics import registry, shown

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10)
_TURN_SECONDS = (1, 2.5, 5, 10, 20, 40, 60, 120, 300)

_requests = Counter(
    "lehia_http_requests",
    "Pages asked for, by the class of the answer.",
    ["route", "status"],
    registry=registry,
)
_request_seconds = Histogram(
    "lehia_http_request_seconds",
    "Until the answer begins.",
    ["route"],
    buckets=_SECONDS,
    registry=registry,
)
_votes = Counter(
    "lehia_votes", "Votes sent: taken, or refused and why.", ["result", "kind"], registry=registry
)
_frames = Counter(
    "lehia_frames_refused", "What volunteers asked for and did not get.", ["code"], registry=registry
)
_sockets = Gauge("lehia_sockets_open", "Open sockets.", registry=registry, multiprocess_mode="livesum")
_answering = Gauge(
    "lehia_battles_answering",
    "Battles that are being answered.",
    registry=registry,
    multiprocess_mode="livesum",
)
_turns = Counter("lehia_turns", "Turns that ended.", ["outcome"], registry=registry)
_turn_seconds = Histogram(
    "lehia_turn_seconds", "From the message to both answers.", buckets=_TURN_SECONDS, registry=registry
)
_in_use = Gauge(
    "lehia_db_connections_in_use", "Connections at work.", registry=registry, multiprocess_mode="livesum"
)
_waiting = Gauge(
    "lehia_db_connections_waiting",
    "Threads that wait for one.",
    registry=registry,
    multiprocess_mode="livesum",
)
_limit = Gauge(
    "lehia_db_connections_limit",
    "As many as the processes may have.",
    registry=registry,
    multiprocess_mode="livesum",
)
_refused = Counter("lehia_db_connections_refused", "Threads that waited in vain.", registry=registry)
_lines = Counter("lehia_log_lines", "Log lines from WARNING on.", ["level"], registry=registry)


def answered(route: str, status: int, seconds: float) -> None:
    _requests.labels(route, f"{status // 100}xx").inc()
    _request_seconds.labels(route).observe(seconds)


def voted(kind: str) -> None:
    """A vote was stored: ``counted`` or ``set_aside``, or was ``repeated``."""
    _votes.labels("accepted", kind).inc()


def vote_refused(kind: str) -> None:
    _votes.labels("refused", kind).inc()


def told(frame: ServerFrame) -> None:
    """A frame goes to a volunteer."""
    if frame["type"] == "refused":
        _frames.labels(frame["code"]).inc()


def socket(change: int) -> None:
    _sockets.inc(change)


@contextmanager
def answering() -> Iterator[None]:
    _answering.inc()
    try:
        yield
    finally:
        _answering.dec()


def turn_ended(outcome: str, seconds: float) -> None:
    _turns.labels(outcome).inc()
    _turn_seconds.observe(seconds)


def connections(*, limit: int) -> None:
    _limit.set(limit)


@contextmanager
def waiting_for_a_connection() -> Iterator[None]:
    _waiting.inc()
    try:
        yield
    finally:
        _waiting.dec()


def connection_taken(change: int) -> None:
    _in_use.inc(change)


def connection_refused() -> None:
    _refused.inc()


def logged(level: str) -> None:
    _lines.labels(level.lower()).inc()


def sockets_open() -> int:
    """Of this process, or of all that share the folder of figures."""
    return _told("lehia_sockets_open")


def battles_answering() -> int:
    """As :func:`sockets_open`."""
    return _told("lehia_battles_answering")


def _told(name: str) -> int:
    return int(shown().get_sample_value(name) or 0)
