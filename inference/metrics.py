"""What Prometheus may read: one label for the endpoint, by its id, and never more of these than :data:`MOST_ENDPOINTS`.

Each process counts for itself. Where several of one machine serve the site, set ``PROMETHEUS_MULTIPROC_DIR`` to an empty folder that they share
before they start, and any of them tells the sum; what stands of processes that were killed is left out of the gauges.
"""

from __future__ import annotations

import os
from pathlib import Path
from uuid import UUID

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from inference.budgets import Use
from inference.types import CircuitState

MOST_ENDPOINTS = 500
_OTHERS = "others"
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_BETWEEN = (0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5)
_STATES = {CircuitState.CLOSED: 0, CircuitState.HALF_OPEN: 1, CircuitState.OPEN: 2}

_folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")  # read by the library itself when it is imported


def _forget(pid: int) -> None:
    multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]  # typed in part


if _folder:
    _forget(os.getpid())  # somebody else's, who had this number: in a container all have the same

registry = CollectorRegistry()
_first_token = Histogram(
    "lehia_first_token_seconds",
    "From asking an endpoint to its first token, retries included.",
    ["endpoint"],
    buckets=_SECONDS,
    registry=registry,
)
_between = Histogram(
    "lehia_between_tokens_seconds",
    "Mean pause between two tokens of an answer.",
    ["endpoint"],
    buckets=_BETWEEN,
    registry=registry,
)
_tokens = Counter(
    "lehia_tokens", "Tokens by kind: prompt or completion.", ["endpoint", "kind"], registry=registry
)
_requests = Counter("lehia_requests", "Requests that ended.", ["endpoint"], registry=registry)
_errors = Counter("lehia_errors", "Requests that failed, by kind.", ["endpoint", "kind"], registry=registry)
_circuit = Gauge(
    "lehia_circuit_state",
    "0 closed, 1 half open, 2 open.",
    ["endpoint"],
    registry=registry,
    multiprocess_mode="mostrecent",
)
_in_flight = Gauge(
    "lehia_in_flight",
    "Requests that hold a slot.",
    ["endpoint"],
    registry=registry,
    multiprocess_mode="livesum",
)
_queued = Gauge(
    "lehia_queue_length", "Requests that wait.", ["endpoint"], registry=registry, multiprocess_mode="livesum"
)
_wait = Histogram(
    "lehia_queue_wait_seconds",
    "How long those that had to wait did so.",
    ["endpoint"],
    buckets=_SECONDS,
    registry=registry,
)
_labels: dict[UUID, str] = {}


def label(endpoint_id: UUID) -> str:
    """The endpoint's label; those past the bound share one."""
    known = _labels.get(endpoint_id)
    if known is None:
        known = str(endpoint_id) if len(_labels) < MOST_ENDPOINTS else _OTHERS
        if known is not _OTHERS:
            _labels[endpoint_id] = known
    return known


def in_flight(endpoint_id: UUID, change: int) -> None:
    _in_flight.labels(label(endpoint_id)).inc(change)


def queued(endpoint_id: UUID, change: int) -> None:
    _queued.labels(label(endpoint_id)).inc(change)


def waited(endpoint_id: UUID, seconds: float) -> None:
    _wait.labels(label(endpoint_id)).observe(seconds)


def circuit(endpoint_id: UUID, state: CircuitState) -> None:
    _circuit.labels(label(endpoint_id)).set(_STATES[state])


def ended(
    endpoint_id: UUID,
    *,
    error: str | None,
    first_token_s: float | None,
    between_tokens_s: float | None,
    use: Use,
) -> None:
    """Count one request at its end: nothing is done a token."""
    name = label(endpoint_id)
    _requests.labels(name).inc()
    if error is not None:
        _errors.labels(name, error).inc()
    if first_token_s is not None:
        _first_token.labels(name).observe(first_token_s)
    if between_tokens_s is not None:
        _between.labels(name).observe(between_tokens_s)
    _tokens.labels(name, "prompt").inc(use.prompt_tokens)
    _tokens.labels(name, "completion").inc(use.completion_tokens)


def shown(*more: Collector) -> CollectorRegistry:
    """All figures of this process, or of all that share the folder, and what *more* collectors tell."""
    whole = CollectorRegistry()
    if _folder:
        _forget_the_dead(Path(_folder))
        multiprocess.MultiProcessCollector(whole)  # type: ignore[no-untyped-call]  # typed in part
    else:
        whole.register(registry)
    for each in more:
        whole.register(each)
    return whole


def render(*more: Collector) -> tuple[bytes, str]:
    """The page for Prometheus and its content type."""
    return generate_latest(shown(*more)), CONTENT_TYPE_LATEST


def _forget_the_dead(folder: Path) -> None:
    """A process that was killed says for ever that it has sockets open."""
    pids = {int(path.stem.rpartition("_")[2]) for path in folder.glob("gauge_live*.db")}
    for pid in pids:
        if not Path(f"/proc/{pid}").exists():
            _forget(pid)
