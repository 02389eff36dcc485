"""A log line: one JSON object with ids beside the message, or the same for a person to read.

Only the fields named here are written. Libraries hang more on their records: Django the whole request, Celery what a task was called with.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest
from pythonjsonlogger.json import JsonFormatter

from arena.observing.context import known

IDS = ("request_id", "battle", "turn", "side", "endpoint", "generation", "task", "task_id")
FIELDS = (*IDS, "route", "method", "status", "duration_ms", "error")


class Known(logging.Filter):
    """Gives a record what is known of its work, and takes from it what strangers wrote into an address."""

    def filter(self, record: logging.LogRecord) -> bool:
        if _tells_addresses(record):
            return False
        for name, value in known().items():
            record.__dict__.setdefault(name, value)
        if record.exc_info and record.exc_info[0] is not None:
            record.error = record.exc_info[0].__name__
        _name_the_route(record)
        pairs = (f"{name}={getattr(record, name)}" for name in IDS if hasattr(record, name))
        record.ids = "".join(f" {pair}" for pair in pairs)
        return True


class JsonLines(JsonFormatter):
    """Time, level, logger and message, then the :data:`FIELDS` that are known, then a traceback where there is one."""

    def __init__(self) -> None:
        super().__init__(json_ensure_ascii=False)

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        log_data["time"] = datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds")
        log_data["level"] = record.levelname
        log_data["logger"] = record.name
        log_data["message"] = record.message
        log_data |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        # already without the row that a database refused: arena.reporting
        traceback = record.exc_text or message_dict.get("exc_info")
        if traceback:
            log_data["traceback"] = traceback


def route_of(request: HttpRequest) -> str:
    """The name of the page, one of some tens; never the address, in which strangers write what they like."""
    match = request.resolver_match
    if match is None:
        return "static" if request.path.startswith("/static/") else "unknown"
    if match.namespaces:
        return match.namespaces[0] if match.namespaces[0] == "admin" else match.view_name
    return match.url_name or "unnamed"


def _tells_addresses(record: logging.LogRecord) -> bool:
    """uvicorn's own line on a socket holds whose it is; ours (``arena.consumers``) does not."""
    return record.name == "uvicorn.error" and "WebSocket %s" in str(record.msg)


def _name_the_route(record: logging.LogRecord) -> None:
    """Django writes the address of what it refuses or fails at."""
    request = getattr(record, "request", None)
    if not (record.name.startswith("django.") and isinstance(request, HttpRequest)):
        return
    route = record.__dict__["route"] = route_of(request)
    if isinstance(record.args, tuple) and request.path in record.args:
        record.args = tuple(route if each == request.path else each for each in record.args)
