"""What is kept of somebody's work with the data, as plain values for their file."""

from __future__ import annotations

from typing import Any

from django.db.models import Sum

from arena.models import ApiToken, DataEntry, Export, ExportJob, User

Plain = dict[str, Any]


def work_of(user: User) -> Plain:
    """What they ordered, exported, downloaded and imported, and their tokens, of which only a hash is kept."""
    tokens = ApiToken.objects.filter(owner=user).annotate(requests=Sum("uses__requests"))
    return {
        "api_tokens": [_token(each) for each in tokens.order_by("created_at")],
        "ordered_exports": [
            {
                "at": each.created_at.isoformat(),
                "layout": each.layout,
                "format": each.format,
                "filters": each.filters,
                "state": each.state,
            }
            for each in ExportJob.objects.filter(by=user).order_by("created_at")
        ],
        "exports": [
            {
                "at": each.created_at.isoformat(),
                "layout": each.layout,
                "rows": each.rows,
                "sha256": each.sha256,
            }
            for each in Export.objects.filter(by=user).order_by("created_at")
        ],
        "downloads_and_imports": [
            {"at": each.created_at.isoformat(), "act": each.act, "layout": each.layout, "file": each.about}
            for each in DataEntry.objects.filter(by=user).order_by("created_at")
        ],
    }


def _token(token: ApiToken) -> Plain:
    return {
        "for": token.name,
        "scopes": token.scopes,
        "issued": token.created_at.isoformat(),
        "expires": token.expires_at.isoformat(),
        "revoked": token.revoked_at.isoformat() if token.revoked_at else None,
        "requests": getattr(token, "requests", None) or 0,
    }
