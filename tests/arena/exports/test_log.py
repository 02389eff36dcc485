"""Who took which file that is not public, and who brought data in: noted once and for all, without an address."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from arena.exports.files import Format
from arena.exports.filters import Filters
from arena.exports.layouts import LAYOUTS
from arena.models import DataEntry, Export, ExportJob, User
from arena.services.erasure import erase_account
from arena.services.export_jobs import order_export, run_export
from arena.services.exports import Order, latest_cutoff
from arena.services.retention import RULES, retain
from ranking.models import BenchmarkScore
from tests.arena.builders import make_campaign, make_participant
from tests.arena.exports.made import publishable, voted

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS = "ikerlea@adibidea.eus"
PAIRS = "model_a,model_b,n,a_wins,b_wins,ties\na,b,3,2,1,0\nb,a,2,1,1,0\n"
SCORES = "model,arc_eu\na,50\nb,40\n"


@pytest.fixture
def ikerlea() -> User:
    user = User.objects.create_user("ikerlea", email=ADDRESS)
    user.user_permissions.set(Permission.objects.filter(codename="order_exports"))
    return user


@pytest.fixture
def job(ikerlea: User, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ExportJob:
    """A finished one of theirs."""
    settings.LEHIA_EXPORTS = tmp_path / "exports"
    monkeypatch.setattr("arena.services.exports.MARGIN", timedelta(seconds=-1))
    campaign = make_campaign(candidates=2)
    publishable(campaign)
    voted(make_participant(campaign), text="Zer da hau?")
    order = Order(LAYOUTS["kto"], Format.JSONL, Filters(latest_cutoff()), "ikerlea")
    made = order_export(order, by=ikerlea, is_limited=False)
    run_export(job_id=made.pk)
    made.refresh_from_db()
    return made


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def file(folder: Path, text: str) -> Path:
    path = folder / "fitxategia.csv"
    path.write_text(text)
    return path


def run(command: str, path: Path, *options: str) -> None:
    call_command(command, str(path), *options, stdout=StringIO(), stderr=StringIO())


def test_each_part_that_is_downloaded_is_noted_with_its_bytes(job: ExportJob, ikerlea: User) -> None:
    client, address = logged_in(ikerlea), reverse("export_file", args=[job.pk])
    whole = client.get(address, headers={"X-Forwarded-For": "203.0.113.7", "User-Agent": "Arakatzailea"})
    size = len(b"".join(whole))
    assert len(b"".join(client.get(address, headers={"Range": "bytes=10-19"}))) == 10
    for nothing in (
        client.head(address),
        client.get(address, headers={"If-None-Match": whole["ETag"]}),
        client.get(address, headers={"Range": f"bytes={size}-"}),
        logged_in(User.objects.create_user("beste")).get(address),
        Client().get(address),
    ):
        assert not nothing.streaming
    assert job.export is not None
    noted = DataEntry.objects.order_by("created_at")
    assert [(each.act, each.by, each.layout, each.about, each.size_bytes) for each in noted] == [
        ("downloaded", ikerlea, "kto", "kto.jsonl", size),
        ("downloaded", ikerlea, "kto", "kto.jsonl", 10),
    ]
    assert {(each.rows, each.sha256) for each in noted} == {(job.export.rows, job.export.sha256)}
    said = " ".join(str(value) for row in noted.values() for value in row.values())
    assert not any(each in said for each in ("203.0.113.7", "127.0.0.1", "Arakatzailea", ADDRESS))


def test_staff_who_take_somebody_elses_file_are_noted(job: ExportJob) -> None:
    staff = User.objects.create_user("langilea", is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(codename="view_exportjob"))
    assert b"".join(logged_in(staff).get(reverse("admin:export_file", args=[job.pk])))
    assert DataEntry.objects.get().by == staff


@pytest.mark.parametrize(
    ("command", "text", "options", "told"),
    [
        ("import_preferences", PAIRS, ("--layout=pairs", "--board=kanpokoa"), ("pairs", "kanpokoa", 5)),
        ("import_benchmarks", SCORES, ("--language=eu",), ("csv", "", 2)),
    ],
)
def test_who_imports_is_noted_and_a_dry_run_is_not(
    ikerlea: User,
    tmp_path: Path,
    command: str,
    text: str,
    options: tuple[str, ...],
    told: tuple[str, str, int],
) -> None:
    path = file(tmp_path, text)
    run(command, path, *options, "--dry-run", "--by", ADDRESS)
    assert not DataEntry.objects.exists()
    assert not BenchmarkScore.objects.exists()
    run(command, path, *options, "--by", ADDRESS)
    run(command, path, *options)
    named, nameless = DataEntry.objects.order_by("created_at")
    assert (named.act, named.by, nameless.by) == ("imported", ikerlea, None)
    assert (named.layout, named.about, named.rows) == told
    assert (named.size_bytes, named.sha256) == (len(text), hashlib.sha256(text.encode()).hexdigest())
    with pytest.raises(CommandError, match="not one account"):
        run(command, path, *options, "--by", "inor@adibidea.eus")


def test_an_erased_account_leaves_its_lines_without_a_name(job: ExportJob, ikerlea: User) -> None:
    assert b"".join(logged_in(ikerlea).get(reverse("export_file", args=[job.pk])))
    erase_account(user_id=ikerlea.pk)
    assert DataEntry.objects.get().by is None
    assert Export.objects.get().by is None
    assert not User.objects.filter(email=ADDRESS).exists()


def test_no_line_is_changed_and_none_of_an_import_or_export_deleted(job: ExportJob, tmp_path: Path) -> None:
    run("import_benchmarks", file(tmp_path, SCORES), "--language=eu")
    other = User.objects.create_user("beste")
    changes: list[Callable[[], object]] = [
        lambda: DataEntry.objects.update(size_bytes=1),
        lambda: DataEntry.objects.update(by=other),
        lambda: DataEntry.objects.all().delete(),
        lambda: Export.objects.update(by=other),
        lambda: Export.objects.update(by=None, rows=99),
        lambda: Export.objects.all()._raw_delete("default"),
    ]
    for change in changes:
        with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
            change()


def test_downloads_are_forgotten_after_their_days_and_imports_are_not(
    ikerlea: User, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setattr(
        "arena.services.retention.RULES", [each for each in RULES if each.name == "downloads"]
    )
    settings.LEHIA_DOWNLOAD_LOG_DAYS = 30
    for days, act in ((31, "downloaded"), (29, "downloaded"), (31, "imported")):
        DataEntry.objects.create(
            act=act, by=ikerlea, layout="kto", rows=1, size_bytes=1, sha256="0" * 64,
            created_at=timezone.now() - timedelta(days=days),
        )  # fmt: skip
    assert retain(dry_run=True) == retain() == {"downloads": 1}
    assert sorted(DataEntry.objects.values_list("act", flat=True)) == ["downloaded", "imported"]


def test_the_admin_shows_the_lines_and_changes_none(job: ExportJob, ikerlea: User) -> None:
    assert b"".join(logged_in(ikerlea).get(reverse("export_file", args=[job.pk])))
    entry = DataEntry.objects.get()
    chief = logged_in(User.objects.create_superuser("nagusia"))
    shown = chief.get(reverse("admin:arena_dataentry_changelist"), {"q": entry.sha256}).content.decode()
    assert "ikerlea" in shown
    assert "kto.jsonl" in shown
    assert chief.get(reverse("admin:arena_dataentry_change", args=[entry.pk])).status_code == 200
    assert chief.get(reverse("admin:arena_dataentry_add")).status_code == 403
    assert chief.post(reverse("admin:arena_dataentry_delete", args=[entry.pk])).status_code == 403
