"""Who did what is in the audit log, cannot be changed there, and names nobody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import get_commands
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from arena.models import AuditEntry, User
from arena.services.audit import READING, note, note_command
from arena.services.erasure import erase_account
from arena.services.retention import retain
from arena.services.staff import ensure_admin
from arena.types import AuditWay
from tests.arena.accounts import LONG, activate, signed_up
from tests.arena.builders import make_campaign, make_participant
from tests.arena.exports.made import voted

pytestmark = pytest.mark.django_db
OURS = ("arena", "inference")


@pytest.fixture
def staff(client: Client) -> User:
    user = User.objects.create_superuser("begirale", "begirale@adibidea.eus")
    client.force_login(user)
    return user


def entries() -> list[tuple[str, int | None, str, str]]:
    return list(AuditEntry.objects.order_by("pk").values_list("way", "staff_id", "act", "about"))


def test_an_action_of_the_admin_is_noted_with_who_and_what_about(client: Client, staff: User) -> None:
    vote = voted(make_participant(make_campaign())).vote
    address = reverse("admin:arena_vote_changelist")
    client.get(address)
    assert entries() == []
    client.post(address, {"action": "withdraw", "_selected_action": [str(vote.pk)]})
    assert entries() == [("admin", staff.pk, "arena_vote_changelist withdraw", str(vote.pk))]


def test_a_form_of_the_admin_is_noted_by_its_keys_without_its_words(client: Client, staff: User) -> None:
    user = User.objects.create_user("xaguizena", "xagu@adibidea.eus")
    address = reverse("admin:arena_user_change", args=[user.pk])
    page = client.get(address).context["adminform"].form.initial
    said = {name: value for name, value in page.items() if isinstance(value, str) and value}
    client.post(
        address, said | {"first_name": "Xaguane", "date_joined_0": "2026-01-01", "date_joined_1": "10:00"}
    )
    assert entries() == [("admin", staff.pk, "arena_user_change", str(user.pk))]


def test_what_the_admin_refuses_is_not_noted_as_done(client: Client, settings: Settings) -> None:
    client.force_login(User.objects.create_user("langile", is_staff=True))
    assert client.post(reverse("admin:arena_apitoken_add")).status_code == 403
    settings.LEHIA_STAFF_MFA = True
    assert client.post(reverse("admin:arena_apitoken_add")).status_code == 302
    assert entries() == []


def test_logins_and_second_factors_of_staff_are_noted_and_volunteers_are_not(
    client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    make_campaign()
    password = ensure_admin()
    volunteer = Client()
    signed_up(volunteer, password=LONG)
    assert entries() == []
    client.post(reverse("account_login"), {"login": "admin", "password": password})
    with django_capture_on_commit_callbacks(execute=True):
        activate(client, str(password))
    who = User.objects.get(username="admin").pk
    assert entries()[:2] == [("account", who, "login", ""), ("account", who, "totp_activated", "")]


def test_a_command_is_noted_by_its_options_without_their_values() -> None:
    note_command(["manage.py", "erase", "--email", "xagu@adibidea.eus"])
    note_command(["manage.py", "export_preferences", "--layout=dpo", "--output", "/tmp/xagu"])
    for line in ("rank --board b", "", "--help", "erase --help", "fleet plan fleet.yaml", "check", "migrate"):
        note_command(["manage.py", *line.split()])
    assert entries() == [
        ("command", None, "erase --email", ""),
        ("command", None, "export_preferences --layout --output", ""),
        ("command", None, "migrate", ""),
    ]


def test_what_is_noted_nowhere_is_chosen_by_name() -> None:
    """A new command of ours is noted, unless somebody says that it only reads."""
    ours = {name for name, app in get_commands().items() if app in OURS}
    assert ours & READING == {"demo", "probe_endpoints", "rank"}
    note_command(["manage.py", "fleet", "register", "fleet.yaml"])
    note_command(["manage.py", "createsuperuser"])
    assert [act for _, _, act, _ in entries()] == ["fleet register", "createsuperuser"]


@pytest.mark.parametrize(
    "change", ["UPDATE arena_auditentry SET act = 'besterik'", "DELETE FROM arena_auditentry"]
)
def test_the_database_refuses_to_change_it(change: str) -> None:
    note(AuditWay.COMMAND, "erase")
    with pytest.raises(DatabaseError, match="audit log"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)
    assert AuditEntry.objects.count() == 1


def test_entries_go_when_their_days_are_over_and_none_before_a_year(settings: Settings) -> None:
    settings.LEHIA_AUDIT_DAYS = 400
    now = timezone.now()
    for days in (401, 399):
        AuditEntry.objects.create(way="command", act=f"retain {days}", created_at=now - timedelta(days=days))
    assert retain(dry_run=True)["audit_log"] == 1
    assert retain()["audit_log"] == 1
    assert [act for _, _, act, _ in entries()] == ["retain 399"]


def test_only_superusers_read_it_and_nobody_writes_it(client: Client, staff: User) -> None:
    note(AuditWay.ADMIN, "arena_vote_changelist withdraw", staff_id=staff.pk, about=["1"])
    former = User.objects.create_user("ohia")
    note(AuditWay.ADMIN, "arena_report_decide", staff_id=former.pk)
    erase_account(user_id=former.pk)
    address = reverse("admin:arena_auditentry_changelist")
    page = client.get(address).content.decode()
    assert "begirale" in page
    assert f"#{former.pk}" in page
    assert "ohia" not in page
    assert client.post(reverse("admin:arena_auditentry_add")).status_code == 403


def test_what_is_about_many_is_cut() -> None:
    note(AuditWay.ADMIN, "a" * 200, about=range(1000))
    [(_, _, act, about)] = entries()
    assert (len(act), len(about), about[-1]) == (120, 400, "…")
