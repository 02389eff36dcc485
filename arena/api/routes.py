"""How a route is declared: its name, its scope and what it answers, all of which the OpenAPI document then tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ninja import Router
from ninja.constants import NOT_SET

from arena.api.callers import Bearer
from arena.types import ApiScope

View = TypeVar("View", bound=Callable[..., Any])
ANY_TOKEN = ""
"""Asks for a token, whatever its scopes."""


def route(
    router: Router, path: str, *, name: str, response: Any, scope: str | None = None
) -> Callable[[View], View]:
    """A GET at *path*. *scope* is an :class:`ApiScope`, :data:`ANY_TOKEN`, or ``None`` where everybody may read."""
    needs = None if scope is None else Bearer(ApiScope(scope) if scope else None)
    return router.get(
        path,
        response=response,
        operation_id=name,
        url_name=name,
        auth=NOT_SET if needs is None else needs,
        openapi_extra={} if scope is None else {"x-scope": scope},
        exclude_unset=False,
    )
