"""The API put together, its OpenAPI document, and its addresses."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import ValidationError

from arena.api import boards, candidates, own, releases
from arena.api.document import completed
from arena.api.problems import ApiProblem, invalid_values, not_found

_log = logging.getLogger("django.request")
DESCRIPTION = (
    "Boards of the blind arena for Basque language models, as JSON. Public routes need no token; a researcher's token opens the others. "
    "Every answer has an ETag. Errors are problem objects (RFC 9457)."
)


class LehiaAPI(NinjaAPI):
    def get_openapi_schema(self, **options: Any) -> Any:
        return completed(super().get_openapi_schema(**options))


api = LehiaAPI(
    title="Lehia",
    version="1",
    description=DESCRIPTION,
    openapi_url=None,
    urls_namespace="api",
)
# exports come here, each as a router of its own with its scope in arena.types.ApiScope
for each in (boards.router, candidates.router, releases.router, own.router):
    api.add_router("", each)


@api.get("/openapi.json", url_name="openapi", include_in_schema=False)
def openapi(request: HttpRequest) -> dict[str, Any]:
    return dict(api.get_openapi_schema())


@api.exception_handler(ApiProblem)
def on_problem(request: HttpRequest, problem: ApiProblem) -> HttpResponse:
    return problem.response()


@api.exception_handler(ValidationError)
def on_invalid_values(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return invalid_values(error).response()


@api.exception_handler(Http404)
def on_unknown_address(request: HttpRequest, error: Http404) -> HttpResponse:
    return not_found("Nothing is at this address: /api/v1/openapi.json lists what there is.").response()


@api.exception_handler(Exception)
def on_failure(request: HttpRequest, error: Exception) -> HttpResponse:
    """Logged as Django logs a page that fails; who asked learns no more than that."""
    _log.error("%s failed", request.path, exc_info=error)
    detail = "The site failed, and its keepers can see why in its log. Ask again later."
    return ApiProblem(HTTPStatus.INTERNAL_SERVER_ERROR, detail).response()
