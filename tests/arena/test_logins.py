"""What ends with a switched-off account or another password, and who may give others what opens doors."""

from __future__ import annotations

from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from arena import sessions
from arena.errors import Refused
from arena.models import Participant, Session, User
from arena.selectors.sessions import standing_claims
from arena.services.battles import begin_turn
from arena.services.people import join_guest
from arena.types import RefusalCode
from tests.arena.builders import RUNNER, make_campaign, make_participant, ready_battle

pytestmark = pytest.mark.django_db
NEW = {
    "password1": "beste pasahitz luze bat",
    "password2": "beste pasahitz luze bat",
    "usable_password": "true",
}


@pytest.fixture
def volunteer() -> Participant:
    user = User.objects.create_user("boluntario", "boluntario@adibidea.eus")
    return join_guest(guest_id=make_participant(make_campaign()).pk, user=user)


def browser(participant: Participant) -> Client:
    client = Client()
    assert participant.user is not None
    client.force_login(participant.user)
    session = client.session
    sessions.remember_participant(session, participant.pk)
    session.save()
    return client


def staff(*permissions: str, is_superuser: bool = False) -> Client:
    user = User.objects.create_user(f"langile-{uuid4()}", is_staff=True, is_superuser=is_superuser)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def saved(client: Client, user: User, **changes: str) -> int:
    """The form of an account in the admin, sent back with these changes."""
    said = {
        "username": user.username,
        "date_joined_0": "2026-01-01",
        "date_joined_1": "10:00",
        "is_active": "on",
    }
    sent = {name: value for name, value in (said | changes).items() if value}
    return client.post(reverse("admin:arena_user_change", args=[user.pk]), sent).status_code


def test_who_is_switched_off_is_nobody_at_once(volunteer: Participant) -> None:
    battle, client = ready_battle(volunteer), browser(volunteer)
    address = reverse("battle", args=[battle.pk])
    assert client.get(address).status_code == 200
    claim = (str(client.session.session_key), volunteer.pk)
    assert standing_claims([claim]) == {claim}
    User.objects.filter(participant=volunteer).update(is_active=False)
    assert client.get(address).status_code == 404
    assert standing_claims([claim]) == set()
    with pytest.raises(Refused) as refusal:
        begin_turn(
            participant_id=volunteer.pk,
            battle_id=None,
            text="Kaixo",
            key=uuid4(),
            runner_id=RUNNER,
            still=False,
        )
    assert refusal.value.code is RefusalCode.CONSENT_NEEDED


def test_switching_an_account_off_in_the_admin_ends_its_sessions(volunteer: Participant) -> None:
    browser(volunteer)
    assert volunteer.user is not None
    assert saved(staff(is_superuser=True), volunteer.user, is_active="") == 302
    assert not Session.objects.filter(account_id=volunteer.user_id).exists()


def test_a_password_that_staff_set_ends_what_the_old_one_let_in(volunteer: Participant) -> None:
    browser(volunteer)
    address = reverse("admin:auth_user_password_change", args=[volunteer.user_id])
    assert staff("change_user").post(address, NEW).status_code == 302
    assert not Session.objects.filter(account_id=volunteer.user_id).exists()


def test_staff_change_their_own_password_where_everybody_does() -> None:
    client = staff(is_superuser=True)
    own = User.objects.get(is_superuser=True)
    for address in (
        reverse("admin:password_change"),
        reverse("admin:auth_user_password_change", args=[own.pk]),
    ):
        assert client.post(address, NEW).headers["Location"] == reverse("account_change_password")
    own.refresh_from_db()
    assert not own.has_usable_password()


@pytest.mark.parametrize("before", ["0", "_2B"])
def test_an_account_is_the_same_however_an_address_writes_its_key(
    volunteer: Participant, before: str
) -> None:
    browser(volunteer)
    client = staff(is_superuser=True)
    own = User.objects.get(is_superuser=True)
    theirs, mine = (
        client.post(reverse("admin:auth_user_password_change", args=[f"{before}{key}"]), NEW)
        for key in (volunteer.user_id, own.pk)
    )
    assert theirs.status_code == 302
    assert not Session.objects.filter(account_id=volunteer.user_id).exists()
    assert mine.headers["Location"] == reverse("account_change_password")


def test_staff_who_may_change_accounts_make_nobody_staff(volunteer: Participant) -> None:
    user, client = volunteer.user, staff("change_user", "view_user")
    assert user is not None
    powers = Permission.objects.get(codename="add_exclusion")
    assert saved(client, user, is_staff="on", is_superuser="on", user_permissions=str(powers.pk)) == 302
    user.refresh_from_db()
    assert not (user.is_staff or user.is_superuser or user.user_permissions.exists())
    assert saved(staff(is_superuser=True), user, is_staff="on") == 302
    user.refresh_from_db()
    assert user.is_staff


def test_staff_who_may_change_accounts_do_not_come_in_as_other_staff() -> None:
    boss = User.objects.create_superuser("nagusi", "nagusi@adibidea.eus")
    client = staff("change_user", "view_user")
    assert saved(client, boss, email="nirea@adibidea.eus") == 403
    address = reverse("admin:auth_user_password_change", args=[boss.pk])
    assert client.post(address, NEW).status_code == 403


def test_no_secret_of_a_second_factor_is_shown_and_a_lost_one_is_taken_off() -> None:
    user = User.objects.create_user("galdua", is_staff=True)
    factor = Authenticator.objects.create(user=user, type="totp", data={"secret": "XAGUSEKRETUA"})
    client = staff(is_superuser=True)
    assert (
        "XAGUSEKRETUA"
        not in client.get(reverse("admin:mfa_authenticator_change", args=[factor.pk])).content.decode()
    )
    client.post(reverse("admin:mfa_authenticator_delete", args=[factor.pk]), {"post": "yes"})
    assert not Authenticator.objects.exists()
