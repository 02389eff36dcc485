"""The second factor, which staff need before the admin opens."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from arena.models import Campaign, User
from arena.services.people import join_guest
from arena.services.staff import ensure_admin
from tests.arena.accounts import (
    ADDRESS,
    LONG,
    activate,
    check_look,
    confirm,
    current_code,
    signed_up,
)
from tests.arena.builders import make_campaign

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign() -> Campaign:
    return make_campaign()


def test_pages_of_a_second_factor_too(client: Client, campaign: Campaign) -> None:
    signed_up(client, password=LONG)
    activate(client)
    for name in (
        "mfa_view_recovery_codes",
        "mfa_generate_recovery_codes",
        "mfa_deactivate_totp",
        "mfa_index",
    ):
        check_look(client.get(reverse(name)))
    client.post(reverse("account_logout"))
    client.post(reverse("account_login"), {"login": ADDRESS, "password": LONG})
    check_look(client.get(reverse("mfa_authenticate")))


def test_the_key_of_a_second_factor_is_not_stored_in_the_clear(client: Client, campaign: Campaign) -> None:
    signed_up(client, password=LONG)
    key = activate(client)
    stored = Authenticator.objects.get(type=Authenticator.Type.TOTP)
    assert key not in str(stored.data)
    assert TOTP(stored).validate_code(current_code(key)) in {True, False}  # it can be read


def test_staff_log_in_by_name_and_are_led_to_their_second_factor(
    client: Client, campaign: Campaign, settings: Settings
) -> None:
    settings.LEHIA_STAFF_MFA = True
    password = ensure_admin()
    asked = client.get("/admin/arena/vote/", follow=True)
    assert asked.redirect_chain[-1][0].startswith(reverse("account_login"))
    login = {"login": "admin", "password": password, "next": "/admin/arena/vote/"}
    answer = client.post(reverse("account_login"), login, follow=True)
    assert [address.partition("?")[0] for address, _ in answer.redirect_chain] == [
        "/admin/arena/vote/",
        "/admin/login/",
        reverse("mfa_activate_totp"),
        reverse("account_reauthenticate"),
    ]
    confirm(client, str(password))
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    assert "Langileek bigarren faktorea behar dute" in page
    for page in ("/admin/", "/admin/arena/vote/", "/admin/arena/user/"):
        assert client.get(page).status_code == 302
    activate(client, str(password))
    assert client.get("/admin/").status_code == 302  # set up, but not given in this session yet
    recovery = Authenticator.objects.get(type=Authenticator.Type.RECOVERY_CODES).wrap().get_unused_codes()[0]
    verified = client.post(f"{reverse('mfa_reauthenticate')}?next=/admin/", {"code": recovery})
    assert verified.headers["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_a_password_alone_opens_nothing_once_there_is_a_second_factor(
    client: Client, campaign: Campaign, settings: Settings
) -> None:
    settings.LEHIA_STAFF_MFA = True
    password = ensure_admin()
    login = {"login": "admin", "password": password}
    client.post(reverse("account_login"), login)
    activate(client, str(password))
    other = Client()
    answer = other.post(reverse("account_login"), login)
    assert answer.headers["Location"] == reverse("mfa_authenticate")
    assert other.get("/admin/").status_code == 302
    recovery = Authenticator.objects.get(type=Authenticator.Type.RECOVERY_CODES).wrap().get_unused_codes()[0]
    other.post(reverse("mfa_authenticate"), {"code": recovery})
    assert other.get("/admin/").status_code == 200


def test_without_that_setting_the_printed_password_is_enough(client: Client, campaign: Campaign) -> None:
    password = ensure_admin()
    answer = client.post(
        reverse("account_login"), {"login": "admin", "password": password, "next": "/admin/"}, follow=True
    )
    assert answer.redirect_chain == [("/admin/", 302)]
    assert answer.status_code == 200


def test_volunteers_do_not_enter_the_admin(client: Client, campaign: Campaign, settings: Settings) -> None:
    settings.LEHIA_STAFF_MFA = True
    signed_up(client)
    assert client.get("/admin/", follow=True).status_code == 403


def test_the_way_on_after_a_login_stays_on_this_site(client: Client, campaign: Campaign) -> None:
    ensure_admin()
    client.force_login(User.objects.get())
    for onward, leads in (
        ("https://gaiztoa.example/", "/admin/"),
        ("/admin/arena/vote/", "/admin/arena/vote/"),
    ):
        assert client.get(f"/admin/login/?next={onward}").headers["Location"] == leads


def test_staff_have_a_participant_of_their_own(campaign: Campaign) -> None:
    ensure_admin()
    user = User.objects.get()
    assert join_guest(guest_id=None, user=user).user == user
