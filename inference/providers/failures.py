"""From what servers and their SDKs report to our typed errors. Their own words are left out: servers repeat keys and addresses in them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx2

from inference import errors

_STATUSES: Mapping[int, type[errors.StreamError]] = {
    401: errors.Unauthorized,
    403: errors.Unauthorized,
    404: errors.ModelNotFound,
    408: errors.StreamTimeout,
}
_KINDS = {
    "authentication_error": 401,
    "permission_error": 403,
    "billing_error": 402,
    "not_found_error": 404,
    "invalid_request_error": 400,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "timeout_error": 408,
}


def of_status(status: int, headers: Mapping[str, str] | None = None) -> errors.StreamError:
    """The error of an HTTP status that is no success."""
    if status == 429:
        return errors.RateLimited("the server answered 429", retry_after_s=retry_after_s(headers or {}))
    if status < 400:
        return errors.ConnectFailed(f"the server answered {status}; redirects are not followed")
    other = errors.ServerFailed if status >= 500 else errors.BadRequest
    return _STATUSES.get(status, other)(f"the server answered {status}")


def of_report(report: object) -> errors.StreamError:
    """The error of a report inside a stream or a body: typed where it bears a status or a kind that we know, else the server's failure."""
    if isinstance(report, dict):
        for name in ("code", "status", "type"):
            told = report.get(name)
            status = told if isinstance(told, int) else _KINDS.get(str(told))
            if status is not None and 400 <= status < 600:
                return of_status(status)
    return errors.ServerFailed("the server reported an error inside the stream")


def of_exception(error: Exception) -> errors.StreamError:
    """The error of what ends an exchange: a deadline, the allow-list, httpx2's errors, or those of the openai or anthropic SDK, which are made alike."""
    if isinstance(error, TimeoutError):
        return errors.StreamTimeout("past a deadline of the stream")
    if isinstance(error, errors.EndpointNotAllowed):
        return errors.ConnectFailed("the address is not admitted")
    if isinstance(error, httpx2.HTTPError):
        return errors.MalformedStream("the connection broke in mid-stream")
    status, response = getattr(error, "status_code", None), getattr(error, "response", None)
    if isinstance(status, int) and isinstance(response, httpx2.Response):
        return of_status(status, response.headers)
    if isinstance(error.__cause__, httpx2.TimeoutException):
        return errors.StreamTimeout("no connection in time", connecting=True)
    return errors.ConnectFailed("no connection to the server")


def retry_after_s(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """How long a server asks to be left alone, in seconds from *now*: told in milliseconds, in seconds, or as a date."""
    if (ms := _number(headers.get("retry-after-ms", ""))) is not None:
        return ms / 1000
    told = headers.get("retry-after", "")
    if (seconds := _number(told)) is not None:
        return seconds
    try:
        date = parsedate_to_datetime(told)
    except ValueError:
        return None
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (aware - (now or datetime.now(UTC))).total_seconds())


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
