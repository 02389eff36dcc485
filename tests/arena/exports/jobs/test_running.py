"""Exports that are ordered: written by whoever holds them, once, whole or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as site
from django.db import connection
from django.utils import timezone

from arena.exports.files import Format, Written
from arena.exports.filters import Filters
from arena.models import Export, ExportJob, Participant, User
from arena.services import export_jobs, exports
from arena.services.export_jobs import (
    LEASE,
    MOST_ATTEMPTS,
    cancel_export,
    expire_exports,
    order_export,
    resume_exports,
    run_export,
)
from arena.services.exports import Order
from arena.tasks import tend_exports
from arena.types import ExportProblem, LanguageLevel
from tests.arena.exports.jobs.made import BATTLES, beside, files, interrupt, order, ordered

pytestmark = pytest.mark.django_db(transaction=True)


def test_filters_come_back_from_their_json(people: list[Participant]) -> None:
    at = timezone.now()
    told = Filters(
        cutoff=at,
        campaign="lehia",
        since=at,
        until=at,
        excluded=True,
        level=LanguageLevel.B,
        any_licence=True,
    )
    assert Filters.from_json(json.loads(json.dumps(told.as_json()))) == told
    assert Filters.from_json(Filters(at).as_json()) == Filters(at)


def test_an_ordered_export_is_written_and_noted_with_who_ordered_it(
    people: list[Participant], researcher: User
) -> None:
    job = ordered(researcher)
    assert (job.state, job.battles, job.people) == ("queued", BATTLES, BATTLES)
    run_export(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.battles_done, job.attempts) == ("done", BATTLES, 1)
    assert job.export is not None
    assert (job.export.by, job.export.rows, job.export.layout) == (researcher, 3 * BATTLES, "dpo")
    assert hashlib.sha256(job.path.read_bytes()).hexdigest() == job.export.sha256
    assert files() == [job.path]
    assert job.path.parent.stat().st_mode & 0o077 == 0


def test_the_file_is_the_one_that_the_command_would_write(
    people: list[Participant], researcher: User, tmp_path: Path
) -> None:
    asked = order(layout="lmarena", form=Format.PARQUET)
    job = order_export(asked, by=researcher, is_limited=False)
    run_export(job_id=job.pk)
    job.refresh_from_db()
    path, _ = exports.export(asked, folder=tmp_path)
    assert path.read_bytes() == job.path.read_bytes()


def test_a_finished_export_is_not_written_again(people: list[Participant], researcher: User) -> None:
    job = ordered(researcher)
    for _ in range(2):
        run_export(job_id=job.pk)
    assert Export.objects.count() == 1
    assert ExportJob.objects.get().attempts == 1


def test_an_export_that_another_process_writes_is_left_to_it(
    people: list[Participant], researcher: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ordered(researcher)

    def meanwhile() -> None:
        run_export(job_id=job.pk)
        assert resume_exports() == 0
        assert expire_exports() == 0

    interrupt(monkeypatch, lambda: beside(meanwhile))
    run_export(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempts, Export.objects.count()) == ("done", 1, 1)


def after_each_battle(
    monkeypatch: pytest.MonkeyPatch, look: Callable[[export_jobs._Pulse], object]
) -> list[object]:
    """What *look* finds after each battle that is written, while the job says nothing by itself."""
    found: list[object] = []
    monkeypatch.setattr(export_jobs, "PULSE_S", 3600)

    def written(asked: Order, *, folder: Path, told: Callable[[], object]) -> Written:
        pulse: export_jobs._Pulse = told.__self__  # type: ignore[attr-defined]  # who counts

        def each() -> None:
            told()
            found.append(look(pulse))

        return exports.make_file(asked, folder=folder, told=each)

    monkeypatch.setattr(export_jobs, "make_file", written)
    return found


def test_progress_is_seen_outside_while_the_snapshot_stands_still(
    people: list[Participant], researcher: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ordered(researcher)

    def look(pulse: export_jobs._Pulse) -> int:
        beside(pulse._say)
        return beside(lambda: ExportJob.objects.get().battles_done)

    said = after_each_battle(monkeypatch, look)
    run_export(job_id=job.pk)
    assert said == list(range(1, BATTLES + 1))


def test_progress_is_told_again_after_a_connection_was_lost(
    people: list[Participant], researcher: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ordered(researcher)

    def lose(pulse: export_jobs._Pulse) -> list[int]:
        connection.ensure_connection()
        connection.connection.close()
        pulse._say()
        before = ExportJob.objects.get().battles_done
        pulse._say()
        return [before, ExportJob.objects.get().battles_done]

    said = after_each_battle(monkeypatch, lambda pulse: beside(lambda: lose(pulse)))
    run_export(job_id=job.pk)
    job.refresh_from_db()
    assert said == [[n - 1, n] for n in range(1, BATTLES + 1)]
    assert job.state == "done"


def test_an_export_that_is_cancelled_once_it_is_written_is_handed_to_nobody(
    people: list[Participant], researcher: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ordered(researcher)

    def written(asked: Order, *, folder: Path, told: Callable[[], object]) -> Written:
        found = exports.make_file(asked, folder=folder, told=told)
        assert files()
        assert cancel_export(job_id=job.pk)
        return found

    monkeypatch.setattr(export_jobs, "make_file", written)
    run_export(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.export, job.file) == ("cancelled", None, "")
    assert not files()
    assert not Export.objects.exists()


def test_a_cancelled_export_ends_and_leaves_nothing(
    people: list[Participant], researcher: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ordered(researcher)
    monkeypatch.setattr(export_jobs, "PULSE_S", 0.001)

    def written(asked: Order, *, folder: Path, told: Callable[[], object]) -> Written:
        pulse: export_jobs._Pulse = told.__self__  # type: ignore[attr-defined]  # who counts

        def each() -> None:
            beside(lambda: cancel_export(job_id=job.pk))
            assert pulse.is_lost.wait(30)
            told()

        return exports.make_file(asked, folder=folder, told=each)

    monkeypatch.setattr(export_jobs, "make_file", written)
    run_export(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.problem, job.runner) == ("cancelled", "", None)
    assert not files()
    assert not Export.objects.exists()
    assert not cancel_export(job_id=job.pk)
    run_export(job_id=job.pk)
    assert ExportJob.objects.get().state == "cancelled"


def test_a_worker_that_woke_up_too_late_hands_nothing_over(
    people: list[Participant], researcher: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ordered(researcher)

    def another() -> None:
        ExportJob.objects.update(claimed_until=timezone.now() - LEASE)
        assert resume_exports() == 1

    interrupt(monkeypatch, lambda: beside(another))
    run_export(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempts, Export.objects.count()) == ("done", 2, 1)
    assert files() == [job.path]


def test_after_three_dead_workers_it_has_failed(people: list[Participant], researcher: User) -> None:
    job = ordered(researcher)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert export_jobs._claim(job.pk, job.pk)
        assert resume_exports() == 0, "its worker may live"
        ExportJob.objects.update(claimed_until=timezone.now() - LEASE)
        assert ExportJob.objects.get().attempts == attempt
    assert resume_exports() == 1
    job.refresh_from_db()
    assert (job.state, job.problem) == ("failed", ExportProblem.LOST)
    assert resume_exports() == 0


def test_an_order_that_no_worker_heard_of_is_begun_by_beat(
    people: list[Participant], researcher: User
) -> None:
    assert tend_exports.name in {each["task"] for each in site.CELERY_BEAT_SCHEDULE.values()}
    job = ordered(researcher)
    assert tend_exports() == 0, "a worker may be about to begin it"
    ExportJob.objects.update(created_at=timezone.now() - timedelta(minutes=2))
    assert tend_exports() == 1
    job.refresh_from_db()
    assert job.state == "done"
