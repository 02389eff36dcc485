"""Releases as they are shown, and which of their rows no longer stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from arena.exports.filters import Filters
from arena.exports.pseudonyms import Pseudonyms
from arena.models import Campaign, Release
from arena.releases import card
from arena.releases.contents import Content, content_of
from arena.selectors.exports import standing_battles, standing_marks
from arena.selectors.snapshots import snapshots_of
from arena.types import ReleaseState
from ranking.models import Board, Snapshot
from ranking.selectors import criteria_of
from ranking.types import BoardKind

_TOLD = ("id", "criterion", "ties", "n_votes", "n_excluded", "checksum", "tally_checksum", "code_version")


def public_releases() -> QuerySet[Release]:
    """Those with files, newest cut-off first. No query of its own."""
    return Release.objects.exclude(state=ReleaseState.DRAFT.value)


def contents_of(release: Release) -> list[Content]:
    return [content_of(name) for name in release.contents]


def folder_of(release: Release) -> Path:
    """Where its files lie now; nothing lies there for a draft."""
    folder: Path = settings.LEHIA_RELEASES / release.slug / release.build
    return folder


def boards_of(filters: Filters) -> list[Board]:
    """The live boards whose votes a release holds. One query."""
    live = Board.objects.filter(kind=BoardKind.LIVE.value).order_by("slug")
    if filters.campaign:
        live = live.filter(pk__in=Campaign.objects.filter(slug=filters.campaign).values("board"))
    return list(live)


def published_by(filters: Filters) -> Iterator[dict[str, Any]]:
    """The last board of each criterion that was published by the cut-off: not counted from the release's rows, but what everybody saw that day."""
    for board in boards_of(filters):
        for criterion in criteria_of(board):
            found = snapshots_of(board=board, criterion=criterion).filter(cut_at__lte=filters.cutoff).first()
            if found is not None:
                yield {"board": board.slug, **_told(found)}


def _told(snapshot: Snapshot) -> dict[str, Any]:
    told = {name: getattr(snapshot, name) for name in _TOLD}
    return {
        **told,
        "id": str(snapshot.pk),
        "cut_at": snapshot.cut_at.isoformat(),
        "ratings": snapshot.payload["ratings"],
    }


def standing_rows(release: Release, pseudonyms: Pseudonyms) -> Iterator[bytes]:
    """The ids of the rows that a release would hold today. A query for each layout, and one for marks."""
    filters = Filters.from_json(release.filters)
    for layout in {content.layout.name: content.layout for content in contents_of(release)}.values():
        found: Iterable[UUID] = standing_battles(filters, layout)
        if layout.name == "spans":
            found = chain(found, standing_marks(filters, layout))
        for each in found:
            yield UUID(pseudonyms.id(each)).bytes


def removal_lines(release: Release) -> Iterator[str]:
    """``removals.jsonl``: an id a line, of which ``id`` or ``battle`` of a row is to be dropped. One query."""
    rows = release.removals.values_list("row", "noted_on").iterator(chunk_size=2000)
    return (f'{{"id": "{row}", "noted_on": "{day.isoformat()}"}}\n' for row, day in rows)


def citation_of(release: Release) -> str:
    """BibTeX, as the card has it."""
    return card.bibtex(
        release.slug,
        release.name,
        release.cutoff,
        release.held_at or release.created_at,
        is_final=release.state == ReleaseState.FINAL.value,
    )
