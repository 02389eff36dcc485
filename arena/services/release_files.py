"""The files of a release, made into a folder of their own: whoever downloads the ones before still gets these whole."""

from __future__ import annotations

import hashlib
import logging
import math
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from arena.exports.files import write
from arena.exports.filters import Filters
from arena.exports.pseudonyms import Pseudonyms
from arena.exports.records import Record
from arena.models import Release
from arena.releases import ids, manifest
from arena.releases.boards import RANKED, Count
from arena.releases.contents import Content, Made
from arena.releases.manifest import About
from arena.selectors.exports import one_snapshot
from arena.selectors.releases import contents_of, published_by
from arena.services import exports
from arena.services.release_cards import descriptions
from arena.types import ReleaseState
from ranking.version import code_version

logger = logging.getLogger(__name__)

STALE = timedelta(hours=1)
_BUILD = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Times:
    """When a release's hold began and ends."""

    held_at: datetime
    hold_until: datetime


@dataclass(frozen=True, slots=True)
class Built:
    """Files that are whole."""

    folder: Path
    made: list[Made]
    others: list[tuple[str, int, str]]
    """Name, bytes and checksum of each file beside the rows."""


@dataclass(slots=True)
class _Seen:
    """What is counted while rows are written."""

    pseudonyms: Pseudonyms
    rows: set[str] = field(default_factory=set)
    counts: dict[str, Count] = field(default_factory=dict)
    everyone: Count = field(default_factory=Count)
    battles: set[uuid.UUID | str] = field(default_factory=set)

    def noting(self, content: Content) -> Callable[[Record], None]:
        count = self.counts.setdefault(content.name, Count()) if content.layout.name in RANKED else None
        has_marks = content.layout.name == "spans"

        def note(record: Record) -> None:
            self.rows.add(self.pseudonyms.id(record.id))
            if count is not None:
                count.note(record)
            if record.id not in self.battles:
                self.battles.add(record.id)
                self.everyone.note(record)
            if has_marks:
                marks = (
                    mark for turn in record.turns for reply in turn.replies.values() for mark in reply.marks
                )
                self.rows.update(self.pseudonyms.id(mark.id) for mark in marks)

        return note


def sweep_builds() -> int:
    """Delete builds that no release has: what killed processes left, and what others took the place of. Returns how many.

    One into which something was written within :data:`STALE` may still be being made, here or on another host.
    """
    before = (timezone.now() - STALE).timestamp()
    builds = [each for each in settings.LEHIA_RELEASES.glob("*/*/") if _BUILD.fullmatch(each.name)]
    old = [each for each in builds if _last_write(each) < before]  # before it is asked which ones stand
    standing = {
        settings.LEHIA_RELEASES / slug / build
        for slug, build in Release.objects.exclude(build="").values_list("slug", "build")
    }
    left = [each for each in old if each not in standing]
    for each in left:
        shutil.rmtree(each, ignore_errors=True)
        logger.info("build %s was left over", each.name)
    return len(left)


def _last_write(folder: Path) -> float:
    """As a time stamp; without end where it is deleted meanwhile."""
    try:
        return max(each.stat().st_mtime for each in (folder, *folder.iterdir()))
    except FileNotFoundError:
        return math.inf


def order_of(release: Release, content: Content) -> exports.Order:
    filters = Filters.from_json(release.filters)
    return exports.Order(content.layout, content.form, filters, release.key.name, by_the_hour=True)


@contextmanager
def built(release: Release, *, state: ReleaseState, times: Times) -> Iterator[Built]:
    """The release's files as of one moment, in a folder that goes again unless the block ends well. Raises ``ExportRefused`` and :class:`OSError`."""
    folder = settings.LEHIA_RELEASES / release.slug / uuid.uuid4().hex
    folder.mkdir(parents=True)
    try:
        yield _build(release, folder, state, times)
    except BaseException:
        shutil.rmtree(folder)
        raise


def _build(release: Release, folder: Path, state: ReleaseState, times: Times) -> Built:
    filters = Filters.from_json(release.filters)
    exports.settle(filters)
    seen = _Seen(exports.pseudonyms_of(release.key))
    contents = contents_of(release)
    with one_snapshot():
        made = [_written(release, content, folder, seen) for content in contents]
        published = list(published_by(filters))
    ids.write(seen.rows, folder)
    about = About(
        slug=release.slug,
        name=release.name,
        state=state,
        cutoff=release.cutoff,
        held_at=times.held_at,
        hold_until=times.hold_until,
        filters=release.filters,
        code_version=code_version(),
        votes=seen.everyone.votes,
        people=seen.everyone.people,
        made=made,
    )
    others = [_put(folder, name, text) for name, text in descriptions(about, seen.everyone).items()]
    boards = [
        board for each in made if each.content.name in seen.counts
        for board in seen.counts[each.content.name].boards(each.content)
    ]  # fmt: skip
    checksums = {name: digest for name, _, digest in others}
    whole = manifest.manifest(about, others=checksums, boards=boards, published=published)
    return Built(folder, made, [*others, _put(folder, manifest.NAME, whole)])


def _written(release: Release, content: Content, folder: Path, seen: _Seen) -> Made:
    rows = exports.rows_of(order_of(release, content), release.key, seen=seen.noting(content))
    written = write(rows, content.layout, folder / content.name, content.form)
    return Made(content, written.rows, written.size_bytes, written.sha256)


def _put(folder: Path, name: str, text: bytes) -> tuple[str, int, str]:
    (folder / name).write_bytes(text)
    return name, len(text), hashlib.sha256(text).hexdigest()
