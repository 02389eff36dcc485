"""Published boards as files."""

from __future__ import annotations

import json
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from arena.selectors.snapshots import as_json
from arena.views.downloads import file_answer
from ranking.models import Snapshot


@require_GET
def snapshot(request: HttpRequest, slug: str, snapshot_id: UUID) -> HttpResponse:
    """The whole row as JSON: how it was made, the board, the covariance, the checksum. It never changes."""
    found = get_object_or_404(Snapshot.objects.select_related("board"), pk=snapshot_id, board__slug=slug)
    text = json.dumps(as_json(found), ensure_ascii=False, allow_nan=False, indent=1) + "\n"
    name = f"{slug}-{found.criterion}-{found.created_at:%Y%m%dT%H%M%SZ}.json"
    return file_answer(text, "application/json", name)
