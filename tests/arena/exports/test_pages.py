"""Pages of exports: who may order what, what they are told, and that nobody gets somebody else's file."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from pytest_django import Settings

from arena.export_form import PROBLEMS
from arena.exports.layouts import LAYOUTS
from arena.models import Export, ExportJob, Participant, User
from arena.releases.contents import PUBLISHABLE
from arena.services.export_jobs import run_export
from arena.services.people import withdraw_consent
from arena.types import ExportProblem, ExportState
from inference.models import Candidate
from inference.types import OutputsLicence
from tests.arena.builders import make_campaign, make_participant
from tests.arena.exports.made import publishable, voted
from tests.arena.imported import ebaluatoia_row, run, write_lines

pytestmark = pytest.mark.django_db(transaction=True)
NEW, LIST = "/data/exports/new/", "/data/exports/"
ADMIN_NEW = "/admin/arena/exportjob/add/"
ASKED = {"layout": "dpo", "format": "jsonl"}
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


@pytest.fixture(autouse=True)
def _own_folder(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.LEHIA_EXPORTS = tmp_path / "exports"
    monkeypatch.setattr("arena.services.exports.MARGIN", timedelta(seconds=-1))
    monkeypatch.setattr("arena.tasks.write_export.delay", lambda job_id: None)


@pytest.fixture
def people() -> list[Participant]:
    campaign = make_campaign(candidates=2)
    publishable(campaign)
    found = [make_participant(campaign) for _ in range(2)]
    for number, person in enumerate(found):
        voted(person, text=f"{number}. galdera")
    return found


def allowed(name: str, *permissions: str, is_staff: bool = False) -> Client:
    """Somebody who is logged in and may do that."""
    user = User.objects.create_user(name, is_staff=is_staff)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def researcher() -> Client:
    return allowed("ikertzailea", "order_exports")


@pytest.fixture
def staff() -> Client:
    return allowed("langilea", "add_exportjob", "view_exportjob", is_staff=True)


def text_of(answer: Any) -> str:
    return unescape(answer.content.decode())


def ordered(client: Client, address: str = NEW, **asked: str) -> ExportJob:
    """As a browser does: look at it, then order what was looked at."""
    answer = client.get(address, {**ASKED, **asked})
    assert answer.status_code == 200, text_of(answer)
    return sent(client, answer, address)


def sent(client: Client, looked_at: Any, address: str = NEW) -> ExportJob:
    hidden = {name: unescape(value) for name, value in HIDDEN.findall(looked_at.content.decode())}
    hidden.pop("csrfmiddlewaretoken", None)
    hidden.pop("next", None)
    answer = client.post(address, hidden)
    assert answer.status_code == 302, text_of(answer)
    return ExportJob.objects.latest("created_at")


def test_the_preview_counts_and_the_order_is_of_what_was_looked_at(
    people: list[Participant], researcher: Client
) -> None:
    looked_at = researcher.get(NEW, ASKED)
    page = text_of(looked_at)
    counts = re.findall(r"<dd><strong>(\d+)</strong>", page)
    assert counts == ["2", "2", "0"]
    job = sent(researcher, looked_at)
    assert (job.by, job.battles, job.people, job.layout) == (User.objects.get(), 2, 2, "dpo")
    assert job.filters["cutoff"] in page
    assert researcher.get(LIST).content.count(str(job.pk).encode()) == 1


def test_texts_that_may_not_be_published_are_counted_and_left_out(
    people: list[Participant], researcher: Client
) -> None:
    Candidate.objects.update(outputs_licence=OutputsLicence.UNKNOWN.value)
    page = text_of(researcher.get(NEW, ASKED))
    assert re.findall(r"<dd><strong>(\d+)</strong>", page) == ["0", "0", "2"]
    assert ordered(researcher, any_licence="on").filters["any_licence"] is False


def test_who_is_not_logged_in_is_led_there_and_others_are_told_who_opens_the_page(
    people: list[Participant], client: Client
) -> None:
    for address in (LIST, NEW):
        answer = client.get(address)
        assert answer.status_code == 302
        assert answer["Location"] == f"{reverse('account_login')}?next={address}"
        assert allowed(f"edonor{len(address)}").get(address).status_code == 403
    stranger = allowed("edonor")
    assert stranger.post(NEW, ASKED).status_code == 403
    assert not ExportJob.objects.exists()


def test_researchers_are_given_no_text_with_personal_details(
    people: list[Participant], researcher: Client
) -> None:
    page = text_of(researcher.get(NEW))
    assert ">ebaluatoia:" not in page
    assert [name for name in LAYOUTS if f">{name}: " in page] == [each.name for each in PUBLISHABLE]
    for method in (researcher.get, researcher.post):
        assert method(NEW, {**ASKED, "layout": "ebaluatoia"}).status_code == 422
    assert not ExportJob.objects.exists()


def test_pseudonyms_of_two_researchers_are_unrelated(people: list[Participant], researcher: Client) -> None:
    first, second = ordered(researcher).key, ordered(allowed("bestea", "order_exports")).key
    assert first != second
    ExportJob.objects.update(state=ExportState.CANCELLED)
    assert ordered(researcher, key="ad-hoc").key == first


def test_a_finished_file_is_downloaded_in_parts_by_who_ordered_it(
    people: list[Participant], researcher: Client
) -> None:
    job = ordered(researcher)
    address = reverse("export_file", args=[job.pk])
    assert researcher.get(address)["Location"] == reverse("export", args=[job.pk]), "it is not made yet"
    run_export(job_id=job.pk)
    job.refresh_from_db()
    whole = researcher.get(address)
    body = b"".join(whole)
    assert job.export is not None
    assert hashlib.sha256(body).hexdigest() == job.export.sha256
    assert "private" in whole["Cache-Control"]
    assert 'filename="dpo.jsonl"' in whole["Content-Disposition"]
    headers = {"Range": "bytes=100-", "If-Range": whole["ETag"]}
    rest = researcher.get(address, headers=headers)
    assert rest.status_code == 206
    assert body[:100] + b"".join(rest) == body


def test_nobody_finds_another_ones_export(people: list[Participant], researcher: Client) -> None:
    job = ordered(researcher)
    run_export(job_id=job.pk)
    for other in (
        allowed("bestea", "order_exports"),
        allowed("nagusia", "order_exports", "view_exportjob", is_staff=True),
    ):
        for name in ("export", "export_progress", "export_file"):
            assert other.get(reverse(name, args=[job.pk])).status_code == 404
        assert other.post(reverse("cancel_export", args=[job.pk])).status_code == 404
        assert str(job.pk) not in text_of(other.get(LIST))
    for name in ("export_progress", "export_file"):
        assert Client().get(reverse(name, args=[job.pk])).status_code == 302
    plain_staff = allowed("laguntzailea", is_staff=True)
    for name in ("export_progress", "export_file", "arena_exportjob_change"):
        assert plain_staff.get(reverse(f"admin:{name}", args=[job.pk])).status_code == 403
    assert plain_staff.post(reverse("admin:cancel_export", args=[job.pk])).status_code == 403
    assert plain_staff.get(ADMIN_NEW).status_code == 403


def test_progress_is_a_part_of_the_page(people: list[Participant], researcher: Client) -> None:
    job = ordered(researcher)
    ExportJob.objects.update(battles=12_890, battles_done=1_000)
    part = text_of(researcher.get(reverse("export_progress", args=[job.pk])))
    assert '<progress max="12890" value="1000"' in part
    assert reverse("export_progress", args=[job.pk]) in text_of(
        researcher.get(reverse("export", args=[job.pk]))
    )
    researcher.post(reverse("cancel_export", args=[job.pk]))
    part = text_of(researcher.get(reverse("export_progress", args=[job.pk])))
    assert "data-over" in part
    assert "<progress" not in part
    assert ExportJob.objects.get().state == "cancelled"


def test_one_export_at_a_time_and_so_many_a_day(
    people: list[Participant], researcher: Client, settings: Settings
) -> None:
    settings.LEHIA_EXPORTS_A_DAY = 1
    job = ordered(researcher)
    for problem in (ExportProblem.RUNNING_ALREADY, ExportProblem.TOO_MANY):
        answer = researcher.post(NEW, ASKED)
        assert answer.status_code == 429
        with translation.override("eu"):
            assert str(PROBLEMS[problem]) in text_of(answer)
        researcher.post(reverse("cancel_export", args=[job.pk]))


def test_a_file_with_something_that_was_taken_back_is_gone_and_its_page_says_so(
    people: list[Participant], researcher: Client
) -> None:
    job = ordered(researcher)
    run_export(job_id=job.pk)
    withdraw_consent(participant_id=people[0].pk, takes_votes=True)
    answer = researcher.get(reverse("export_file", args=[job.pk]), follow=True)
    with translation.override("eu"):
        assert str(PROBLEMS[ExportProblem.TAKEN_BACK]) in text_of(answer)
    assert researcher.get(reverse("export_file", args=[job.pk])).status_code == 410


@pytest.mark.parametrize("language", ["eu", "es", "fr", "en"])
def test_every_refusal_is_told_in_every_language(
    people: list[Participant], researcher: Client, language: str
) -> None:
    job = ordered(researcher)
    said = set()
    for problem in ExportProblem:
        ExportJob.objects.update(state=ExportState.FAILED, problem=problem)
        page = text_of(
            researcher.get(reverse("export", args=[job.pk]), headers={"Accept-Language": language})
        )
        with translation.override(language):
            told = str(PROBLEMS[problem])
        assert told in page
        said.add(told)
    assert len(said) == len(ExportProblem)
    if language != "en":
        with translation.override("en"):
            assert said.isdisjoint({str(each) for each in PROBLEMS.values()})


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"layout": "ez-dago"}, "layout"),
        ({"format": "xlsx"}, "format"),
        ({"campaign": "ez-dago"}, "campaign"),
        ({"source": "ez-dago"}, "source"),
        ({"cutoff": "2999-01-01T00:00:00"}, "cutoff"),
        ({"since": "atzo"}, "since"),
        ({"level": "D"}, "level"),
    ],
)
def test_what_cannot_be_ordered_is_marked_in_the_form(
    people: list[Participant], researcher: Client, asked: dict[str, str], field: str
) -> None:
    answer = researcher.get(NEW, {**ASKED, **asked})
    assert answer.status_code == 422
    assert answer.context["form"].errors.keys() == {field}


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"campaign": "lehia"}, "source"),
        ({"excluded": "keep"}, "source"),
        ({"layout": "judgements"}, "layout"),
    ],
)
def test_imported_votes_are_ordered_by_what_they_know_alone(
    people: list[Participant], researcher: Client, tmp_path: Path, asked: dict[str, str], field: str
) -> None:
    run(write_lines(tmp_path / "votes.jsonl", [ebaluatoia_row()]), "ebaluatoia")
    imported = {**ASKED, "source": "b"}
    answer = researcher.get(NEW, {**imported, **asked})
    assert answer.status_code == 422
    assert answer.context["form"].errors.keys() == {field}
    assert ordered(researcher, source="b").battles == 1


def test_days_are_the_sites_own(people: list[Participant], researcher: Client) -> None:
    job = ordered(researcher, since="2026-03-01", until="2026-07-01")
    assert job.filters["since"] == "2026-03-01T00:00:00+01:00"
    assert job.filters["until"] == "2026-07-01T00:00:00+02:00"


def test_staff_order_any_layout_under_a_key_of_their_choice(people: list[Participant], staff: Client) -> None:
    job = ordered(staff, ADMIN_NEW, layout="ebaluatoia", key="barrukoa", any_licence="on")
    assert (job.layout, job.key, job.filters["any_licence"]) == ("ebaluatoia", "barrukoa", False)
    chief = allowed("nagusia", "add_exportjob", "view_exportjob", "export_any_licence", is_staff=True)
    job = ordered(chief, ADMIN_NEW, key="barrukoa", any_licence="on")
    assert job.filters["any_licence"] is True
    run_export(job_id=job.pk)
    assert Export.objects.get().by == job.by


def test_staff_are_told_what_cannot_be_made(people: list[Participant], staff: Client) -> None:
    asked = {**ASKED, "key": "release-lehia-1"}
    with translation.override("eu"):
        told = str(PROBLEMS[ExportProblem.REFUSED])
    for ask in (staff.get, staff.post):
        answer = ask(ADMIN_NEW, asked)
        assert answer.status_code == 422
        assert told in text_of(answer)
    assert not ExportJob.objects.exists()


def test_staff_see_and_download_all(people: list[Participant], researcher: Client, staff: Client) -> None:
    job = ordered(researcher)
    page = reverse("admin:arena_exportjob_change", args=[job.pk])
    assert "ikertzailea" in text_of(staff.get(page))
    assert "ikertzailea" in text_of(staff.get(reverse("admin:arena_exportjob_changelist")))
    run_export(job_id=job.pk)
    assert staff.get(reverse("admin:export_progress", args=[job.pk])).status_code == 200
    answer = staff.get(reverse("admin:export_file", args=[job.pk]))
    assert len(b"".join(answer)) > 0


def test_staff_cancel_what_anybody_ordered(
    people: list[Participant], researcher: Client, staff: Client
) -> None:
    job = ordered(researcher)
    assert staff.get(reverse("admin:cancel_export", args=[job.pk])).status_code == 405
    staff.post(reverse("admin:cancel_export", args=[job.pk]))
    assert ExportJob.objects.get().state == "cancelled"
    assert not ExportJob.objects.filter(ended_at__gt=timezone.now()).exists()


def test_an_order_without_a_broker_waits_for_beat(
    people: list[Participant], researcher: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kombu.exceptions import OperationalError

    def away(job_id: str) -> None:
        raise OperationalError("away")

    monkeypatch.setattr("arena.tasks.write_export.delay", away)
    assert ordered(researcher).state == "queued"
