"""A release's life: prepared, on hold, final; and what is taken back of it.

draft --hold--> held --finish--> final. On hold its files are made anew whenever something in them was taken back; once it is final they never change, and
what is taken back is listed.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from arena.errors import ExportRefused, ReleaseRefused
from arena.exports.filters import Filters
from arena.models import Export, Release, ReleaseEvent, ReleaseFile, ReleaseRemoval, User
from arena.releases import ids
from arena.releases.contents import Content, in_order
from arena.selectors.exports import Counts, one_snapshot
from arena.selectors.releases import folder_of, standing_rows
from arena.services import exports
from arena.services.release_files import Built, Times, built, sweep_builds
from arena.types import ReleaseAct, ReleaseState
from ranking.version import code_version

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be released."""

    slug: str
    name: str
    filters: Filters
    contents: Sequence[Content]
    hold_days: int | None = None
    """As the setting says, if left out."""


def prepare(plan: Plan, *, by: User | None = None) -> Release:
    """A draft, with a key of its own. Raises :class:`ReleaseRefused` and ``ExportRefused``."""
    contents = in_order(plan.contents)
    _check(plan.filters, contents)
    for content in contents:
        exports.check(_order(plan, content))
    with transaction.atomic():
        release = Release(
            slug=plan.slug,
            name=plan.name.strip(),
            filters=plan.filters.as_json(),
            cutoff=plan.filters.cutoff,
            contents=[each.name for each in contents],
            hold_days=settings.LEHIA_RELEASE_HOLD_DAYS if plan.hold_days is None else plan.hold_days,
            key=exports.key_of(f"{exports.RELEASE_KEYS}{plan.slug}"),
        )
        try:
            release.full_clean()
        except ValidationError as error:
            raise ReleaseRefused(" ".join(error.messages)) from None
        release.save()
        _note(release, ReleaseAct.PREPARED, by)
    return release


def preview(plan: Plan) -> dict[str, Counts]:
    """By the file's name, what it would hold now. Raises :class:`ReleaseRefused` and ``ExportRefused``."""
    contents = in_order(plan.contents)
    _check(plan.filters, contents)
    return {each.name: exports.preview(_order(plan, each)) for each in contents}


def _order(plan: Plan, content: Content) -> exports.Order:
    key = f"{exports.RELEASE_KEYS}{plan.slug}"
    return exports.Order(content.layout, content.form, plan.filters, key, by_the_hour=True)


def drop_draft(*, release_id: UUID) -> None:
    """Forget a draft. Raises :class:`ReleaseRefused` for what has files."""
    with transaction.atomic():
        release = Release.objects.select_for_update().get(pk=release_id)
        if release.state != ReleaseState.DRAFT.value:
            raise ReleaseRefused(f"{release.slug} has files: only drafts can be dropped")
        release.events.all().delete()
        release.delete()


def hold(*, release_id: UUID, by: User | None = None) -> Release:
    """Make a draft's files and begin its hold. Raises :class:`ReleaseRefused`, ``ExportRefused`` and :class:`OSError`."""
    release = Release.objects.get(pk=release_id)
    if release.state != ReleaseState.DRAFT.value:
        raise ReleaseRefused(f"{release.slug} is no draft")
    now = timezone.now()
    times = Times(now, now + timedelta(days=release.hold_days))
    return _made_anew(release, ReleaseState.HELD, ReleaseAct.HELD, times, by)


def refresh(*, release_id: UUID, by: User | None = None) -> Release:
    """Make the files of a release on hold anew, without what was taken back. Raises as :func:`hold`."""
    release = Release.objects.get(pk=release_id)
    if release.state != ReleaseState.HELD.value:
        raise ReleaseRefused(f"{release.slug} is not on hold: its files stay as they are")
    return _made_anew(release, ReleaseState.HELD, ReleaseAct.REBUILT, _times(release), by)


def finish(*, release_id: UUID, by: User | None = None) -> Release:
    """Make the files of a release whose hold is over a last time; from then on they never change. Raises as :func:`hold`."""
    release = Release.objects.get(pk=release_id)
    if release.state != ReleaseState.HELD.value:
        raise ReleaseRefused(f"{release.slug} is not on hold")
    if _times(release).hold_until > timezone.now():
        raise ReleaseRefused(f"{release.slug} is on hold until {_times(release).hold_until.isoformat()}")
    return _made_anew(release, ReleaseState.FINAL, ReleaseAct.FINISHED, _times(release), by)


def note_removal() -> None:
    """Something was taken back, hidden or redacted that releases on hold may have: their rows are given to nobody until they are made anew.

    Drafts are told too: the files of one may be being made. One query, inside the transaction that does it.
    """
    Release.objects.exclude(state=ReleaseState.FINAL.value).update(removals_noted=F("removals_noted") + 1)


def keep() -> int:
    """End holds that are over, make anew what lags behind, list what was taken back of final releases, sweep builds that are left over.

    Returns how many releases changed.

    One release that fails is logged and holds up no other; the next time it is tried again.
    """
    changed = 0
    for release in Release.objects.exclude(state=ReleaseState.DRAFT.value).order_by("pk"):
        try:
            changed += _kept(release)
        except (ExportRefused, ReleaseRefused, OSError):
            logger.exception("release %s could not be brought up to date", release.slug)
    sweep_builds()
    return changed


def _kept(release: Release) -> bool:
    if release.state == ReleaseState.FINAL.value:
        return list_removals(release_id=release.pk)
    if _times(release).hold_until <= timezone.now():
        finish(release_id=release.pk)
        return True
    if release.is_behind or _gone(release):
        refresh(release_id=release.pk)
        return True
    return False


def list_removals(*, release_id: UUID) -> bool:
    """List the rows of a final release that no longer stand, by their ids alone, and strike those off that do again. Returns whether the list changed."""
    release = Release.objects.get(pk=release_id, state=ReleaseState.FINAL.value)
    gone = {UUID(bytes=each) for each in _gone(release)}
    with transaction.atomic():
        Release.objects.select_for_update().get(pk=release.pk)
        listed = set(release.removals.values_list("row", flat=True))
        back, fresh = listed - gone, gone - listed
        if not back and not fresh:
            return False
        release.removals.filter(row__in=back).delete()
        today = timezone.now().date()
        ReleaseRemoval.objects.bulk_create(
            ReleaseRemoval(release=release, row=each, noted_on=today) for each in sorted(fresh)
        )
        _note(release, ReleaseAct.TAKEN_BACK, None, f"+{len(fresh)} -{len(back)}")
    return True


def _gone(release: Release) -> set[bytes]:
    """The ids in the files whose rows no longer stand."""
    left = ids.read(folder_of(release))
    with one_snapshot():
        for each in standing_rows(release, exports.pseudonyms_of(release.key)):
            left.discard(each)
    return left


def _made_anew(
    release: Release, state: ReleaseState, act: ReleaseAct, times: Times, by: User | None
) -> Release:
    """New files in place of the old. Whoever was quicker wins: then nothing changes and :class:`ReleaseRefused` says so.

    What is taken back meanwhile leaves a release on hold behind, and keeps it from becoming final with those rows.
    """
    with built(release, state=state, times=times) as made, transaction.atomic():
        locked = Release.objects.select_for_update().get(pk=release.pk)
        if (locked.state, locked.build) != (release.state, release.build):
            raise ReleaseRefused(f"{release.slug} was changed by somebody else meanwhile")
        if state is ReleaseState.FINAL and locked.removals_noted != release.removals_noted:
            raise ReleaseRefused(f"something was taken out of {release.slug} while its last files were made")
        old = folder_of(locked) if locked.build else None
        locked.state, locked.build = state.value, made.folder.name
        locked.held_at, locked.hold_until = times.held_at, times.hold_until
        locked.removals_built = release.removals_noted
        if state is ReleaseState.FINAL:
            locked.final_at = timezone.now()
        locked.save()
        _store(locked, made, by)
        _note(locked, act, by)
        if old is not None:
            transaction.on_commit(lambda: shutil.rmtree(old, ignore_errors=True))
    logger.info("release %s: %s", release.slug, act.value)
    return locked


def _store(release: Release, built: Built, by: User | None) -> None:
    release.files.all().delete()
    rows = [
        ReleaseFile(
            release=release,
            name=each.content.name,
            layout=each.content.layout.name,
            rows=each.rows,
            size_bytes=each.size_bytes,
            sha256=each.sha256,
        )
        for each in built.made
    ]
    others = [
        ReleaseFile(release=release, name=name, size_bytes=size, sha256=digest)
        for name, size, digest in built.others
    ]
    ReleaseFile.objects.bulk_create([*rows, *others])
    Export.objects.bulk_create(
        Export(
            by=by,
            key=release.key,
            layout=each.content.layout.name,
            format=each.content.form.value,
            filters=release.filters,
            cutoff=release.cutoff,
            rows=each.rows,
            size_bytes=each.size_bytes,
            sha256=each.sha256,
            version=code_version(),
        )
        for each in built.made
    )


def _check(filters: Filters, contents: Sequence[Content]) -> None:
    if not contents:
        raise ReleaseRefused("a release has one file of rows at least")
    if filters.any_licence or filters.source:
        raise ReleaseRefused("a release holds our own votes alone, and texts that are under CC0")
    plain = [each.name for each in contents if each.layout.has_texts and not each.layout.is_sanitized]
    if plain:
        raise ReleaseRefused(f"{', '.join(plain)}: texts with personal details in them are not released")


def _times(release: Release) -> Times:
    if release.held_at is None or release.hold_until is None:
        raise ReleaseRefused(f"{release.slug} was never on hold")
    return Times(release.held_at, release.hold_until)


def _note(release: Release, act: ReleaseAct, by: User | None, about: str = "") -> None:
    ReleaseEvent.objects.create(release=release, act=act.value, by=by, about=about)
