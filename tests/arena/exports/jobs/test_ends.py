"""How ordered exports end: refused, failed, over, taken back, or of somebody who is gone."""

from __future__ import annotations

import errno
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from arena.errors import ExportRefused
from arena.models import Campaign, Export, ExportJob, Participant, User
from arena.services.erasure import erase_participant
from arena.services.export_jobs import cancel_export, expire_exports, order_export, run_export, still_stands
from arena.services.people import withdraw_consent
from arena.types import ExportProblem, ExportState
from tests.arena.builders import make_participant
from tests.arena.exports.jobs.made import files, order, ordered

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        (errno.ENOSPC, ExportProblem.DISK_FULL),
        (errno.EROFS, ExportProblem.NOT_WRITABLE),
        (errno.EIO, ExportProblem.DISK),
    ],
)
def test_what_the_disk_refuses_is_told_and_leaves_nothing(
    people: list[Participant],
    researcher: User,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    problem: ExportProblem,
) -> None:
    job = ordered(researcher)

    def full(self: object, data: bytes) -> None:
        raise OSError(code, "the disk says no")

    monkeypatch.setattr("arena.exports.files._Lines.put", full)
    run_export(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.problem, job.details) == ("failed", problem, "the disk says no")
    assert not files()
    assert not Export.objects.exists()


def test_a_real_full_disk_fails_an_export(
    people: list[Participant], researcher: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ordered(researcher)
    opened = Path.open

    def to_full(path: Path, *args: Any, **kwargs: Any) -> IO[Any]:
        file: IO[Any] = opened(Path("/dev/full") if path.suffix == ".part" else path, *args, **kwargs)
        return file

    monkeypatch.setattr(Path, "open", to_full)
    run_export(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.problem) == ("failed", ExportProblem.DISK_FULL)


def test_a_folder_that_cannot_be_made_is_told(
    people: list[Participant], researcher: User, settings: Settings, tmp_path: Path
) -> None:
    job = ordered(researcher)
    (tmp_path / "exports").write_text("a file in the folder's place")
    run_export(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.problem) == ("failed", ExportProblem.DISK)


def test_a_transaction_that_stays_open_is_told_as_such(
    people: list[Participant], researcher: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ordered(researcher)
    monkeypatch.setattr("arena.services.exports._PATIENCE_S", -1.0)
    monkeypatch.setattr("arena.selectors.exports.earlier_transactions", lambda _: 1)
    run_export(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.problem) == ("failed", ExportProblem.BUSY)


def test_files_go_when_their_days_are_over_and_the_note_of_them_stays(
    people: list[Participant], researcher: User, settings: Settings
) -> None:
    old, fresh = ordered(researcher), ordered(researcher)
    for job in (old, fresh):
        run_export(job_id=job.pk)
        job.refresh_from_db()
    assert fresh.expires_at is not None
    assert fresh.expires_at > timezone.now() + timedelta(days=settings.LEHIA_EXPORT_DAYS - 1)
    stray = Path(settings.LEHIA_EXPORTS) / "hondarrak"
    stray.mkdir()
    ExportJob.objects.filter(pk=old.pk).update(expires_at=timezone.now())
    assert expire_exports() == 1
    old.refresh_from_db()
    assert (old.state, old.export is not None) == (ExportState.EXPIRED, True)
    assert files() == [fresh.path]
    assert not stray.exists()
    assert Export.objects.count() == 2


def test_a_file_is_not_given_once_something_in_it_was_taken_back(
    people: list[Participant], researcher: User
) -> None:
    job = ordered(researcher)
    run_export(job_id=job.pk)
    job.refresh_from_db()
    assert still_stands(job)
    withdraw_consent(participant_id=people[0].pk, takes_votes=True)
    assert not still_stands(job)
    job.refresh_from_db()
    assert (job.state, job.problem) == ("expired", ExportProblem.TAKEN_BACK)
    assert not files()


def test_a_file_of_a_campaign_that_has_another_code_now_is_not_given(
    people: list[Participant], researcher: User
) -> None:
    job = ordered(researcher, campaign=Campaign.objects.get().slug)
    run_export(job_id=job.pk)
    job.refresh_from_db()
    assert still_stands(job)
    Campaign.objects.update(slug="beste")
    assert not still_stands(job)
    assert not files()


def test_limits_are_for_one_person_and_say_which(
    people: list[Participant], researcher: User, settings: Settings
) -> None:
    settings.LEHIA_EXPORTS_A_DAY = 2
    first = order_export(order(), by=researcher, is_limited=True)
    with pytest.raises(ExportRefused) as refusal:
        order_export(order(), by=researcher, is_limited=True)
    assert refusal.value.problem is ExportProblem.RUNNING_ALREADY
    order_export(order(), by=User.objects.create_user("beste"), is_limited=True)
    cancel_export(job_id=first.pk)
    run_export(job_id=order_export(order(), by=researcher, is_limited=True).pk)
    with pytest.raises(ExportRefused) as refusal:
        order_export(order(), by=researcher, is_limited=True)
    assert refusal.value.problem is ExportProblem.TOO_MANY
    order_export(order(), by=researcher, is_limited=False)
    ExportJob.objects.filter(by=researcher).update(
        state=ExportState.CANCELLED, file="", created_at=timezone.now() - timedelta(days=1)
    )
    order_export(order(), by=researcher, is_limited=True)


def test_what_cannot_be_exported_is_refused_when_it_is_ordered(
    people: list[Participant], researcher: User
) -> None:
    with pytest.raises(ExportRefused) as refusal:
        ordered(researcher, campaign="ez-dago")
    assert refusal.value.problem is ExportProblem.REFUSED
    assert not ExportJob.objects.exists()


def test_a_researcher_who_deletes_their_account_leaves_the_notes_without_a_name(
    people: list[Participant], researcher: User
) -> None:
    person = make_participant(Campaign.objects.get())
    person.user = researcher
    person.save()
    run_export(job_id=ordered(researcher).pk)
    erase_participant(participant_id=person.pk)
    assert ExportJob.objects.get().by is None
    assert Export.objects.get().by is None
