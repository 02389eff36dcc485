"""Django's admin behind the site's own login, and behind a second factor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from allauth.account.authentication import get_authentication_records
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache

from arena.selectors.moderation import open_reports
from arena.services.audit import note
from arena.types import AuditWay

_View = TypeVar("_View", bound=Callable[..., HttpResponseBase])
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class StaffSite(AdminSite):
    """Opens to staff who gave their second factor in this session; ``LEHIA_STAFF_MFA`` can do without it."""

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and not lacks_factor(request)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Django's, with the number of reports that wait beside their name. One query more."""
        apps: list[Any] = super().get_app_list(request, app_label)
        for each in (model for app in apps for model in app["models"]):
            if each["object_name"] == "Report":
                each["name"] = f"{each['name']} ({open_reports()})"
        return apps

    def admin_view(self, view: _View, cacheable: bool = False) -> _View:
        """Django's, every one of them; what is sent to it and not refused is in the audit log."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def noted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            sends = request.method not in SAFE  # before the view, which may call it something else
            answer = inner(request, *args, **kwargs)
            if sends and answer.status_code < HTTPStatus.BAD_REQUEST and self.has_permission(request):
                _note(request, kwargs.values() or args)
            return answer

        return cast(_View, noted)

    def password_change(  # type: ignore[override]  # a redirect, which serves as well
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Where everybody changes theirs: with its limits, and with the end of what the old one let in."""
        return redirect("account_change_password")

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Lead to what lacks: the login, a second factor of one's own, or giving it."""
        return _led_on(request)


def _note(request: HttpRequest, about: Iterable[object]) -> None:
    """The route, the action of a list where one is meant, and the keys of what it is about."""
    route = request.resolver_match.url_name if request.resolver_match else ""
    action = request.POST.get("action", "")
    chosen = request.POST.getlist(ACTION_CHECKBOX_NAME) if action else []
    everything = ["all"] if request.POST.get("select_across") == "1" else []
    note(
        AuditWay.ADMIN,
        f"{route} {action}".strip(),
        staff_id=request.user.pk,
        about=[*about, *(everything or chosen)],
    )


@never_cache
def _led_on(request: HttpRequest) -> HttpResponse:
    onward = _onward(request)
    if not request.user.is_authenticated:
        return _to("account_login", onward)
    if not (request.user.is_active and request.user.is_staff):
        raise PermissionDenied
    if not lacks_factor(request):
        return redirect(onward)
    return _to("mfa_reauthenticate" if is_mfa_enabled(request.user) else "mfa_activate_totp", onward)


def lacks_factor(request: HttpRequest) -> bool:
    """Whether staff still have to give their second factor in this session, or to set one up."""
    if not settings.LEHIA_STAFF_MFA:
        return False
    records = get_authentication_records(request, request.user)
    return not is_mfa_enabled(request.user) or all(each["method"] != "mfa" for each in records)


def _onward(request: HttpRequest) -> str:
    asked = request.GET.get(REDIRECT_FIELD_NAME, "")
    safe = url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure())
    return asked if safe else reverse("admin:index")


def _to(name: str, onward: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"{reverse(name)}?{urlencode({REDIRECT_FIELD_NAME: onward})}")
