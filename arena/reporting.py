"""Error pages, error mails and logs without secrets, and without what people wrote."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import ItemsView, Iterator
from types import FrameType
from typing import Any

import psycopg
from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

LEFT_OUT = "(left out)"
_PERSONAL = re.compile(
    "ADDR|FORWARDED|QUERY_STRING|REFERER|USER_AGENT|PATH_INFO|REQUEST_URI|REMOTE_", re.IGNORECASE
)


class KeylessReporterFilter(SafeExceptionReporterFilter):
    """Shows no local variables, and no field of a form whose name sounds secret; of a running site no field, address or browser at all.

    Django's own filter lets everything through while ``DEBUG`` is on, and knows secrets by the names of variables: those of libraries that carry a key to a
    model server in their headers have other names.
    """

    hidden_settings = re.compile(
        "API|AUTH|TOKEN|KEY|SECRET|PASS|SIGNATURE|HTTP_COOKIE|DATABASE|REDIS|BROKER", re.IGNORECASE
    )

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        if request is None:
            return {}
        cleansed: QueryDict = request.POST.copy()
        for name in cleansed:
            if not settings.DEBUG or self.hidden_settings.search(name):
                cleansed[name] = self.cleansed_substitute
        return cleansed

    def get_safe_request_meta(self, request: HttpRequest) -> dict[str, Any]:
        meta = super().get_safe_request_meta(request)
        if settings.DEBUG:
            return meta
        return {name: LEFT_OUT if _PERSONAL.search(name) else value for name, value in meta.items()}

    def get_traceback_frame_variables(self, request: HttpRequest, tb_frame: FrameType) -> ItemsView[str, Any]:
        return {}.items()


class NamelessReporter(ExceptionReporter):
    """Says of a running site's request neither whose it was nor what was asked after the path, and of a refusal by the database no row."""

    def get_traceback_data(self) -> dict[str, Any]:
        data: dict[str, Any] = super().get_traceback_data()
        if settings.DEBUG:
            return data
        if self.request is not None:
            data |= {"user_str": LEFT_OUT, "request_insecure_uri": self.request.path}
            data |= {"request_GET_items": [], "request_COOKIES_items": [], "request_FILES_items": []}
        data.pop("unicode_hint", None)
        for name in ("exception_value", "exception_notes"):
            if name in data:
                data[name] = _without(str(data[name]), self.exc_value)
        for frame in data.get("frames", ()):
            frame["exc_cause"] = None if frame.get("exc_cause") is None else type(frame["exc_cause"]).__name__
        return data


def keep_rows_out_of_logs() -> None:
    """Every record that any logger makes from now on writes its traceback without the row that the database refused.

    PostgreSQL tells the whole row that breaks a constraint, and Python writes it under the traceback: a message, an address, a nickname.
    """
    before = logging.getLogRecordFactory()

    def record(*args: Any, **kwargs: Any) -> logging.LogRecord:
        made = before(*args, **kwargs)
        error = made.exc_info[1] if made.exc_info else None
        if error is not None:
            made.exc_text = _without("".join(traceback.format_exception(error)).rstrip("\n"), error)
            if (
                isinstance(made.args, dict) and "exc" in made.args
            ):  # Celery's, which repeats the error in the message
                made.args = {**made.args, "exc": type(error).__name__}
        return made

    logging.setLogRecordFactory(record)


def _without(text: str, error: BaseException | None) -> str:
    for each in _chain(error):
        diag = each.diag if isinstance(each, psycopg.Error) else None
        for told in (diag.message_detail, diag.context, diag.internal_query) if diag else ():
            text = text.replace(told, LEFT_OUT) if told else text
    return text


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
