"""How often a route may be asked: whatever writes is counted, each kind of it apart, before its view begins."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin

from arena import sessions
from arena.services.limits import Doing, is_shut, wait_for
from arena.visitors import address_of

_READS = {"GET", "HEAD", "OPTIONS", "TRACE"}
_BY_NAME = {
    "vote": Doing.VOTE,
    "line": Doing.FRAME,
    "battle_line": Doing.FRAME,
    "feedback": Doing.FEEDBACK,
    "feedback_one": Doing.FEEDBACK,
    "delete_feedback": Doing.FEEDBACK,
    "report_battle": Doing.REPORT,
    "new_export": Doing.EXPORT,
    "judge": Doing.MESSAGE,
}
_READS_COUNTED = {"my_data": Doing.EXPORT, "export_file": Doing.EXPORT}
_LOGINS = ("account_", "mfa_")


class LimitsMiddleware(MiddlewareMixin):
    """Refuses (429) who asks too often. The API counts for itself, reads as well, and messages are counted where frames are taken."""

    def process_view(
        self, request: HttpRequest, _view: Callable[..., Any], _args: Any, _kwargs: Any
    ) -> HttpResponse | None:
        match = request.resolver_match
        if match is None or match.route.startswith("api/v1/"):
            return None
        doing = _doing_of(request, match.url_name or "")
        if doing is None:
            return None
        address = address_of(request)
        person = None if is_shut(doing, address) else _person(request)
        if doing is Doing.WRITE and match.url_name == "consent" and person is None:
            doing = Doing.GUEST
        wait_s = wait_for(doing, person=person, address=address)
        return None if wait_s is None else refused(request, wait_s)


def _doing_of(request: HttpRequest, name: str) -> Doing | None:
    if request.method in _READS:
        return _READS_COUNTED.get(name)
    if name.startswith(_LOGINS):
        return Doing.LOGIN
    return _BY_NAME.get(name, Doing.WRITE)


def _person(request: HttpRequest) -> str | None:
    """The volunteer, or the account; nobody before consent."""
    participant = sessions.participant_id(request.session)
    if participant is not None:
        return str(participant)
    account = request.session.get(SESSION_KEY)
    return None if account is None else f"account {account}"


def refused(request: HttpRequest, wait_s: int) -> HttpResponse:
    """In the visitor's language, with when to try again; touches no database."""
    page = "_too_fast.html" if request.headers.get("X-Requested-With") == "fetch" else "too_fast.html"
    response = render(request, page, {"wait_s": wait_s}, status=HTTPStatus.TOO_MANY_REQUESTS)
    response["Retry-After"] = str(wait_s)
    response["Cache-Control"] = "no-store"
    return response
