"""Released data: which releases there are, what each holds, and its files."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import cast

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from arena.exports.filters import Filters
from arena.models import Release, ReleaseFile
from arena.selectors.releases import citation_of, folder_of, public_releases, removal_lines
from arena.services.release_copies import REMOVALS
from arena.types import ReleaseState
from arena.views.downloads import file_answer
from arena.views.files import download, kind_of

RETRY_S = 300
"""Until a release from which something was taken back is made anew: as beat asks for it."""


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    return render(request, "releases/list.html", {"releases": public_releases()})


@require_safe
def release(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(public_releases(), slug=slug)
    files = list(found.files.all())
    context = {
        "release": found,
        "rows": [each for each in files if each.layout],
        "descriptions": [each for each in files if not each.layout],
        "filters": Filters.from_json(found.filters),
        "removals": found.removals.count(),
        "removals_file": REMOVALS,
        "citation": citation_of(found),
    }
    return render(request, "releases/page.html", context)


@require_safe
def file(request: HttpRequest, slug: str, name: str) -> HttpResponseBase:
    """One file, whole or in parts. While something is being taken out of the release there is none: 503, and when to ask again."""
    found = get_object_or_404(public_releases(), slug=slug)
    if name == REMOVALS and found.state == ReleaseState.FINAL.value:
        return _removals(request, found)
    if found.is_behind:
        context = {"release": found}
        answer = render(request, "releases/behind.html", context, status=HTTPStatus.SERVICE_UNAVAILABLE)
        answer["Retry-After"], answer["Cache-Control"] = str(RETRY_S), "no-store"
        return answer
    return _download(request, get_object_or_404(found.files, name=name), found)


def _download(request: HttpRequest, file: ReleaseFile, release: Release) -> HttpResponseBase:
    kind = kind_of(file.name)
    name = f"{release.slug}-{file.name}"
    return download(request, folder_of(release) / file.name, name=name, kind=kind, sha256=file.sha256)


def _removals(request: HttpRequest, release: Release) -> HttpResponse:
    """Made as it is asked for: ids alone, of few rows."""
    answer = file_answer("".join(removal_lines(release)), "application/jsonl", f"{release.slug}-{REMOVALS}")
    answer["Cache-Control"] = "public, no-cache"
    etag = f'"{hashlib.sha256(answer.content).hexdigest()}"'
    answer["ETag"] = etag
    return cast(HttpResponse, get_conditional_response(request, etag=etag, response=answer))
