"""Exports that are ordered on pages and written by workers: begun again where a worker died, kept for days, given to nobody half written."""

from __future__ import annotations

import errno
import logging
import shutil
import threading
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID, uuid4

from django.conf import settings
from django.db import Error, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from arena.errors import ExportRefused
from arena.exports.files import Format, Written
from arena.exports.filters import Filters
from arena.exports.layouts import LAYOUTS
from arena.models import ExportJob, User
from arena.models.export_jobs import UNDER_WAY
from arena.selectors.export_jobs import one_under_way, ordered_in_a_day, unattended_jobs
from arena.services.exports import Order, make_file, note, preview
from arena.types import ExportProblem, ExportState

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=1)
"""So long an export stays its process's own after the last sign of life; then another begins it again."""
PULSE_S = 2.0
MOST_ATTEMPTS = 3
_OF_THE_DISK = {
    errno.ENOSPC: ExportProblem.DISK_FULL,
    errno.EDQUOT: ExportProblem.DISK_FULL,
    errno.EACCES: ExportProblem.NOT_WRITABLE,
    errno.EPERM: ExportProblem.NOT_WRITABLE,
    errno.EROFS: ExportProblem.NOT_WRITABLE,
}
_FREE = {"runner": None, "claimed_until": None}


def order_export(order: Order, *, by: User, is_limited: bool) -> ExportJob:
    """Note what somebody orders; :func:`run_export` writes it. Limits are for researchers: one at a time, and so many a day.

    Locks the account. Raises :class:`ExportRefused`.
    """
    found = preview(order)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=by.pk)
        if is_limited and one_under_way(by):
            raise ExportRefused("one export at a time", ExportProblem.RUNNING_ALREADY)
        if is_limited and ordered_in_a_day(by) >= settings.LEHIA_EXPORTS_A_DAY:
            raise ExportRefused("that many exports in 24 hours", ExportProblem.TOO_MANY)
        job = ExportJob.objects.create(
            by=by,
            layout=order.layout.name,
            format=order.form.value,
            filters=order.filters.as_json(),
            key=order.key,
            battles=found.battles,
            people=found.people,
        )
    logger.info("export %s ordered: %s", job.pk, job.layout)
    return job


def order_of(job: ExportJob) -> Order:
    return Order(LAYOUTS[job.layout], Format(job.format), Filters.from_json(job.filters), job.key)


def run_export(*, job_id: UUID) -> None:
    """Write an ordered export, unless another process does, or nobody wants it any more.

    Each attempt writes into a folder of its own, and only who still holds the job at the end hands its file over.
    """
    runner = uuid4()
    if not _claim(job_id, runner):
        return
    job = ExportJob.objects.select_related("by").get(pk=job_id)
    is_kept = False
    try:
        folder = _fresh_folder(job, runner)
        with _Pulse(job_id, runner) as pulse:
            written = make_file(order_of(job), folder=folder, told=pulse.one_more)
        is_kept = _hand_over(job, runner, written, battles=pulse.battles)
    except _LostError:
        logger.info("export %s is no longer ours", job_id)
    except ExportRefused as refusal:
        _fail(job_id, runner, refusal.problem, str(refusal))
    except OSError as error:
        problem = _OF_THE_DISK.get(error.errno or 0, ExportProblem.DISK)
        _fail(job_id, runner, problem, error.strerror or str(error))
    finally:
        if not is_kept:
            shutil.rmtree(job.folder / runner.hex, ignore_errors=True)


def cancel_export(*, job_id: UUID) -> bool:
    """Whether it was under way. Who writes it hears of it within seconds, and leaves nothing."""
    now = timezone.now()
    under_way = ExportJob.objects.filter(pk=job_id, state__in=UNDER_WAY)
    return bool(under_way.update(state=ExportState.CANCELLED.value, ended_at=now, **_FREE))


def resume_exports() -> int:
    """Begin again what a killed worker left, three times in all, and begin what none has heard of. Returns how many."""
    found = unattended_jobs()
    for job in found:
        if job.attempts < MOST_ATTEMPTS:
            run_export(job_id=job.pk)
        elif job.runner is not None:
            _fail(job.pk, job.runner, ExportProblem.LOST, f"{MOST_ATTEMPTS} attempts")
    return len(found)


def expire_exports() -> int:
    """Delete files whose days are over, and whatever else nobody will be given. Returns how many were given until now."""
    over = Q(state=ExportState.DONE.value, expires_at__lte=timezone.now())
    gone = ExportJob.objects.filter(over).update(state=ExportState.EXPIRED.value, file="")
    root = Path(settings.LEHIA_EXPORTS)
    folders = (
        list(root.iterdir()) if root.is_dir() else []
    )  # before it is asked which ones stand: others may begin
    kept = Q(state=ExportState.DONE.value) | Q(state=ExportState.RUNNING.value)
    standing = {str(each) for each in ExportJob.objects.filter(kept).values_list("pk", flat=True)}
    for folder in folders:
        if folder.name not in standing:
            shutil.rmtree(folder, ignore_errors=True)
    return gone


def still_stands(job: ExportJob) -> bool:
    """Whether the file of a finished export may still be given: not once battles in it were withdrawn, hidden or erased. It is deleted then.

    As many queries as a preview.
    """
    if _holds(job):
        return True
    ExportJob.objects.filter(pk=job.pk, state=ExportState.DONE.value).update(
        state=ExportState.EXPIRED.value, file="", problem=ExportProblem.TAKEN_BACK.value
    )
    shutil.rmtree(job.folder, ignore_errors=True)
    return False


def drop_taken_back(*, dry_run: bool = False) -> int:
    """Delete finished exports that :func:`still_stands` would refuse, before anybody asks for them. Returns how many."""
    done = ExportJob.objects.filter(state=ExportState.DONE.value).order_by("pk")
    return sum(not (_holds(job) if dry_run else still_stands(job)) for job in done)


def _holds(job: ExportJob) -> bool:
    try:
        return preview(order_of(job)).battles >= job.battles_done
    except ExportRefused:
        return False


class _LostError(Exception):
    """The job was cancelled, or another process holds it."""


class _Pulse:
    """Says every few seconds how far an export is and that its process lives, from a thread with a connection of its own: the export reads in one snapshot,
    which may not write and must not see the world move."""

    def __init__(self, job_id: UUID, runner: UUID) -> None:
        self.battles = 0
        self.is_lost = threading.Event()
        self._mine = ExportJob.objects.filter(pk=job_id, runner=runner)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="export-pulse", daemon=True)

    def one_more(self) -> None:
        """Raises once the job is no longer ours."""
        if self.is_lost.is_set():
            raise _LostError
        self.battles += 1

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _go_on(self) -> None:
        try:
            while not self._over.wait(PULSE_S):
                self._say()
        finally:
            connection.close()

    def _say(self) -> None:
        now = timezone.now()
        try:
            if not self._mine.update(battles_done=self.battles, claimed_until=now + LEASE):
                self.is_lost.set()
        except Error:  # the lease is long enough for the next one
            logger.warning("an export could not say how far it is", exc_info=True)
            connection.close()


def _claim(job_id: UUID, runner: UUID) -> bool:
    now = timezone.now()
    free = Q(state=ExportState.QUEUED.value) | Q(state=ExportState.RUNNING.value, claimed_until__lt=now)
    return bool(
        ExportJob.objects.filter(free, pk=job_id).update(
            state=ExportState.RUNNING.value,
            runner=runner,
            claimed_until=now + LEASE,
            attempts=F("attempts") + 1,
            battles_done=0,
            started_at=now,
        )
    )


def _fresh_folder(job: ExportJob, runner: UUID) -> Path:
    """Empty, and what earlier attempts left is gone."""
    shutil.rmtree(job.folder, ignore_errors=True)
    folder = job.folder / runner.hex
    folder.mkdir(mode=0o700, parents=True)
    return folder


def _hand_over(job: ExportJob, runner: UUID, written: Written, *, battles: int) -> bool:
    """The file, and the line of who exported it, in one transaction; whether the job was still ours."""
    now = timezone.now()
    with transaction.atomic():
        mine = ExportJob.objects.select_for_update(of=("self",)).select_related("by")
        held = mine.filter(pk=job.pk, runner=runner).first()
        if held is None:
            return False
        made = note(order_of(held), written, by=held.by)
        ExportJob.objects.filter(pk=job.pk).update(
            state=ExportState.DONE.value,
            battles_done=battles,
            export=made,
            file=str(written.path.relative_to(job.folder)),
            ended_at=now,
            expires_at=now + timedelta(days=settings.LEHIA_EXPORT_DAYS),
            **_FREE,
        )
    logger.info("export %s is ready: %s rows", job.pk, written.rows)
    return True


def _fail(job_id: UUID, runner: UUID, problem: ExportProblem, details: str) -> None:
    logger.warning("export %s failed: %s", job_id, problem.value)
    ExportJob.objects.filter(pk=job_id, runner=runner).update(
        state=ExportState.FAILED.value,
        problem=problem.value,
        details=details,
        ended_at=timezone.now(),
        **_FREE,
    )
