"""Errors to Sentry, where the settings name one: where they happened and which ids they were about, and nothing else.

Nothing is taken from requests, sessions, local variables or messages of errors; what an event may hold is listed here, and all else is left out.
"""

from __future__ import annotations

import logging
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, cast

from django.core.exceptions import ImproperlyConfigured

from arena.observing.context import known

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

_EVENT = ("event_id", "timestamp", "platform", "level", "logger", "release", "environment", "sdk")
_FRAME = (
    *("filename", "abs_path", "function", "module", "lineno", "in_app"),
    *("pre_context", "context_line", "post_context"),
)


def begin(dsn: str) -> None:
    """Send what is logged as an error from now on. Raises ``ImproperlyConfigured`` where the package lacks."""
    try:
        import sentry_sdk
        from sentry_sdk.integrations.logging import LoggingIntegration
    except ImportError:
        raise ImproperlyConfigured(
            "SENTRY_DSN is set, and sentry-sdk is not installed: it is the extra 'sentry'"
        ) from None
    sentry_sdk.init(
        dsn=dsn,
        release=f"lehia@{version('lehia')}",
        default_integrations=False,  # those of Django, HTTP clients and model servers would see what people write
        auto_enabling_integrations=False,
        integrations=[LoggingIntegration(level=None, event_level=logging.ERROR, sentry_logs_level=None)],
        include_local_variables=False,
        max_breadcrumbs=0,
        send_default_pii=False,
        send_client_reports=False,
        auto_session_tracking=False,
        before_send=without_people,
    )


def without_people(event: Event, hint: Hint) -> Event:
    """The event with what is listed above alone, and the ids that log lines carry as its tags."""
    given: dict[str, Any] = dict(event)
    kept = {name: given[name] for name in _EVENT if name in given}
    record = hint.get("log_record")
    if record is not None:
        kept["logentry"] = {"message": str(record.msg)}  # before anything was put into it
    kept["exception"] = {
        "values": [_error(each) for each in (given.get("exception") or {}).get("values", ())]
    }
    kept["tags"] = dict(known())
    return cast("Event", kept)


def _error(given: dict[str, Any]) -> dict[str, Any]:
    frames = (given.get("stacktrace") or {}).get("frames", ())
    return {
        "type": given.get("type"),
        "module": given.get("module"),
        "stacktrace": {
            "frames": [{name: frame[name] for name in _FRAME if name in frame} for frame in frames]
        },
    }
