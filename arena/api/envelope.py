"""What is the same for every address of the API: who may ask how often, refusals, ETags, what may be kept for how long, and the count of uses."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, wraps
from http import HTTPStatus
from typing import cast

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, re_path
from django.utils.cache import get_conditional_response

from arena.api.callers import ApiRequest, Caller, admit
from arena.api.document import operations_of
from arena.api.problems import ApiProblem, Fault, invalid
from arena.api.site import api
from arena.services.tokens import note_use
from arena.types import ApiScope

Answer = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Declared:
    """What the OpenAPI document says of a route."""

    parameters: frozenset[str]
    scope: str | None


@cache
def declared() -> dict[str, Declared]:
    """By the route's name."""
    return {
        operation["operationId"]: Declared(
            frozenset(each["name"] for each in operation["parameters"] if each["in"] == "query"),
            operation.get("x-scope"),
        )
        for operation in operations_of(api.get_openapi_schema())
    }


def urls() -> tuple[list[URLPattern], str, str]:
    """The API's addresses and all others beside them, each in its envelope."""
    patterns, app_name, namespace = api.urls
    kept = [
        URLPattern(each.pattern, enveloped(_view_of(each), each.name), each.default_args, each.name)
        for each in patterns
        if isinstance(each, URLPattern)
    ]
    return [*kept, re_path("", enveloped(_nothing, None), name="nothing")], app_name, namespace


def enveloped(view: Answer, name: str | None) -> Answer:
    @wraps(view)
    def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        method = request.method
        if method == "HEAD":
            request.method = "GET"  # whose body the server leaves out
        route = declared().get(name or "", Declared(frozenset(), None))
        try:
            caller = cast(ApiRequest, request).caller = admit(request)
            _check(request, route)
            found = _finished(request, view(request, *args, **kwargs), route)
            _note(caller, route, found)
        except Exception as error:  # noqa: BLE001  # as a route's own: logged unless it refuses, and answered as a problem
            return api.on_exception(request, error)
        finally:
            request.method = method
        return found

    answer.csrf_exempt = True  # type: ignore[attr-defined]  # what Django looks for; nothing here writes
    return answer


def _view_of(pattern: URLPattern) -> Answer:
    """Ninja's own, but for its address without a route, which is only there to be named."""
    return _nothing if pattern.name == "api-root" else pattern.callback


def _nothing(request: HttpRequest) -> HttpResponse:
    raise Http404


def _check(request: HttpRequest, route: Declared) -> None:
    unknown = sorted(set(request.GET) - route.parameters)
    if unknown:
        says = f"Unknown here; known are: {', '.join(sorted(route.parameters)) or 'none'}."
        raise invalid(*(Fault(where=f"query.{name[:40]}", says=says) for name in unknown[:10]))


def _finished(request: HttpRequest, response: HttpResponse, route: Declared) -> HttpResponse:
    """With its headers; 304 where the caller holds the same already. Raises ``ApiProblem``, 405, for another method than GET and HEAD."""
    if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        detail = "Nothing can be written here: the API answers GET and HEAD alone."
        raise ApiProblem(HTTPStatus.METHOD_NOT_ALLOWED, detail, headers={"Allow": "GET, HEAD"})
    if response.status_code != HTTPStatus.OK:
        return response
    response.headers.setdefault(
        "Cache-Control", "public, no-cache" if route.scope is None else "private, no-cache"
    )
    etag = f'"{hashlib.sha256(response.content).hexdigest()[:32]}"'
    response.headers["ETag"] = etag
    response.headers["Content-Language"] = "en"
    return cast(HttpResponse, get_conditional_response(request, etag=etag, response=response))


def _note(caller: Caller, route: Declared, response: HttpResponse) -> None:
    if caller.token is not None and response.status_code < HTTPStatus.BAD_REQUEST:
        scope = ApiScope(route.scope) if route.scope else None
        note_use(token_id=caller.token.pk, scope=scope)
