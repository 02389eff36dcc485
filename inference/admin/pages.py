"""What the endpoints' own pages share, and the one that shows how all of them do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from inference.admin.wording import CIRCUITS, HEALTHS, PROBED, STATUSES, advice
from inference.health.overview import Overview, overview
from inference.health.types import StepName
from inference.models import ModelEndpoint
from inference.types import CircuitState, EndpointHealth, EndpointStatus

Admin = admin.ModelAdmin[ModelEndpoint]
View = Callable[..., HttpResponseBase]


def page(own: Admin, request: HttpRequest, name: str, context: dict[str, Any]) -> TemplateResponse:
    whole = {**own.admin_site.each_context(request), "opts": own.opts, **context}
    return TemplateResponse(request, f"admin/endpoints/{name}.html", whole)


def found(endpoint_id: UUID) -> ModelEndpoint:
    return get_object_or_404(ModelEndpoint.objects.select_related("candidate"), pk=endpoint_id)


def allow(is_allowed: bool) -> None:
    if not is_allowed:
        raise PermissionDenied


def status_urls(own: Admin) -> list[URLPattern]:
    def status(request: HttpRequest) -> HttpResponseBase:
        allow(own.has_view_permission(request))
        rows = [_row(each) for each in overview()]
        return page(own, request, "status", {"title": _("State of the endpoints"), "rows": rows})

    return [path("status/", own.admin_site.admin_view(status), name="inference_status")]


def _row(seen: Overview) -> dict[str, Any]:
    endpoint = seen.endpoint
    return {
        "endpoint": endpoint,
        "status": STATUSES[EndpointStatus(endpoint.status)],
        "health": HEALTHS[EndpointHealth(endpoint.health)],
        "advice": advice(endpoint.health_detail),
        "hindered": advice(endpoint.probe.get("hindrance", "")),
        "circuit": CIRCUITS[seen.circuit] if seen.circuit is not CircuitState.CLOSED else "",
        "traffic": seen.traffic,
        "errors": [{"code": code, "share": 100 * share} for code, share in seen.errors.items()],
        "error_share": None if seen.traffic is None else 100 * seen.traffic.error_share,
        "tokens": seen.tokens_today,
        "cost": seen.cost_today,
        "requests": seen.requests_today,
    }


def probed_steps(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A probe's stored steps in words."""
    return [
        {**row, "label": PROBED[StepName(row["step"])], "advice": advice(row.get("said", ""))} for row in rows
    ]
