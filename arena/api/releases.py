"""Releases: what was released, its files with their checksums, and which rows were taken back since."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from ninja import Path, Query, Router

from arena.api import cursors, schemas
from arena.api.problems import not_found
from arena.api.routes import route
from arena.models import Release
from arena.selectors.releases import citation_of, public_releases

router = Router(tags=["releases"])
Code = Annotated[str, Path(pattern=r"^[a-z0-9.-]{1,50}$")]


@route(router, "/releases", name="releases", response=schemas.ReleasesOut)
def releases(request: HttpRequest, query: Query[schemas.PageQuery]) -> dict[str, Any]:
    """Those with files, newest cut-off first."""
    found = public_releases()
    if query.cursor is not None:
        moment, key = cursors.read("releases", query.cursor)
        cutoff = datetime.fromisoformat(moment)
        found = found.filter(Q(cutoff__lt=cutoff) | Q(cutoff=cutoff, pk__lt=UUID(key)))
    listed = list(found[: query.limit + 1])
    items, more = listed[: query.limit], len(listed) > query.limit
    last = items[-1] if more else None
    return {
        "items": items,
        "next": cursors.write("releases", last.cutoff.isoformat(), str(last.pk)) if last else None,
    }


@route(router, "/releases/{code}", name="release", response=schemas.WholeReleaseOut)
def release(request: HttpRequest, code: Code) -> dict[str, Any]:
    """What it holds, of which votes, and how it is cited."""
    found = _release(code)
    said = {name: getattr(found, name) for name in schemas.ReleaseOut.model_fields}
    return {
        **said,
        "filters": found.filters,
        "citation": citation_of(found),
        "removals": found.removals.count(),
        "is_being_made_anew": found.is_behind,
    }


@route(router, "/releases/{code}/files", name="release-files", response=schemas.ReleaseFilesOut)
def files(request: HttpRequest, code: Code) -> dict[str, Any]:
    """Its files with checksums, and where each is downloaded, in parts where that is asked for."""
    found = _release(code)
    return {
        "items": [
            {
                "name": each.name,
                "layout": each.layout,
                "rows": each.rows,
                "size_bytes": each.size_bytes,
                "sha256": each.sha256,
                "path": reverse("release_file", args=[found.slug, each.name]),
            }
            for each in found.files.all()
        ]
    }


@route(router, "/releases/{code}/removals", name="release-removals", response=schemas.RemovalsOut)
def removals(request: HttpRequest, code: Code, query: Query[schemas.PageQuery]) -> dict[str, Any]:
    """Ids of rows that were taken back after it became final: rows whose id or battle is listed are to be dropped."""
    found = _release(code).removals.all()
    if query.cursor is not None:
        (row,) = cursors.read("removals", query.cursor)
        found = found.filter(row__gt=UUID(row))
    listed = list(found[: query.limit + 1])
    items, more = listed[: query.limit], len(listed) > query.limit
    return {
        "items": [{"id": each.row, "noted_on": each.noted_on} for each in items],
        "next": cursors.write("removals", str(items[-1].row)) if more else None,
    }


def _release(code: str) -> Release:
    found = public_releases().filter(slug=code).first()
    if found is None:
        raise not_found("No release has this code: /api/v1/releases lists them.")
    return found
