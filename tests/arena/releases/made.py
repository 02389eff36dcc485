"""Releases to look at."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from arena.exports.filters import Filters
from arena.models import Release
from arena.releases.contents import content_of
from arena.selectors.releases import folder_of
from arena.services import exports, releases

CONTENTS = ("ebaluatoia-sanitized.jsonl.gz", "lmarena.jsonl.gz", "judgements.parquet", "spans.jsonl.gz")


def planned(slug: str = "lehia-1", contents: Sequence[str] = CONTENTS, **filters: Any) -> releases.Plan:
    cutoff = filters.pop("cutoff", exports.latest_cutoff())
    return releases.Plan(
        slug=slug,
        name=f"Lehia {slug}",
        filters=Filters(cutoff=cutoff, **filters),
        contents=[content_of(each) for each in contents],
    )


def prepared(slug: str = "lehia-1", contents: Sequence[str] = CONTENTS, **filters: Any) -> Release:
    return releases.prepare(planned(slug, contents, **filters))


def held(slug: str = "lehia-1", contents: Sequence[str] = CONTENTS, **filters: Any) -> Release:
    return releases.hold(release_id=prepared(slug, contents, **filters).pk)


def over(release: Release) -> Release:
    """Its hold is over, and beat comes by."""
    Release.objects.filter(pk=release.pk).update(hold_until=timezone.now() - timedelta(seconds=1))
    releases.keep()
    release.refresh_from_db()
    return release


def rows(release: Release, name: str = "lmarena.jsonl.gz") -> list[dict[str, Any]]:
    release.refresh_from_db()
    packed = (folder_of(release) / name).read_bytes()
    return [json.loads(line) for line in gzip.decompress(packed).splitlines()]


def content(release: Release) -> dict[str, bytes]:
    """What lies there now."""
    release.refresh_from_db()
    return {each.name: each.read_bytes() for each in sorted(folder_of(release).iterdir())}


def told(release: Release) -> Any:
    release.refresh_from_db()
    return json.loads((folder_of(release) / "manifest.json").read_text())
