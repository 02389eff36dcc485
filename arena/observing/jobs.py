"""What goes with a task from whoever sends it to the worker that does it."""

from __future__ import annotations

import logging
import time
from contextvars import Token
from threading import local
from typing import Any

from celery import signals, states
from django.conf import settings
from prometheus_client import start_http_server
from redis import RedisError

from arena.observing import context, notes
from inference import metrics

logger = logging.getLogger("arena.jobs")
_own = local()


def connect() -> None:
    """Leave logs as the site's settings say, and hand on ids. Celery's signals are the only place where it lets one."""
    signals.setup_logging.connect(_leave_logging, weak=False)
    signals.before_task_publish.connect(_sent, weak=False)
    signals.task_prerun.connect(_begun, weak=False)
    signals.task_postrun.connect(_ended, weak=False)
    signals.worker_ready.connect(_serve_figures, weak=False)


def _leave_logging(**_: Any) -> None:
    """That somebody listens is all it takes."""


def _sent(headers: dict[str, Any], **_: Any) -> None:
    headers["sent_at"] = time.time()
    if own := context.request_id():
        headers["request_id"] = own


def _begun(task_id: str, task: Any, **_: Any) -> None:
    given = task.request.get("request_id") or ""
    _own.token = context.begin(
        request_id=given if context.is_plain(given) else "", task=short(task.name), task_id=task_id
    )
    _own.began = time.perf_counter()


def _ended(state: str, **_: Any) -> None:
    token: Token[Any] | None = getattr(_own, "token", None)
    if token is None:
        return
    ms = round((time.perf_counter() - _own.began) * 1000)
    logger.info("%s in %d ms", state.lower(), ms, extra={"duration_ms": ms})
    try:
        if state in {states.SUCCESS, states.FAILURE}:
            notes.note_task(context.known()["task"], succeeded=state == states.SUCCESS)
    except RedisError:
        logger.warning("Valkey could not be told how it went")
    context.end(token)
    _own.token = None


def _serve_figures(**_: Any) -> None:
    """A worker has no pages; where the settings say so, Prometheus reads its own counts at a port."""
    host, _colon, port = settings.LEHIA_WORKER_METRICS.rpartition(":")
    if port:
        start_http_server(int(port), addr=host or "127.0.0.1", registry=metrics.shown())


def short(name: str) -> str:
    """Without the module, which is the same for all of ours."""
    return name.rpartition(".")[2]
