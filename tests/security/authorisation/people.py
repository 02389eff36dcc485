"""Everybody who asks: browsers by their role, and tokens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from arena import sessions
from arena.models import Campaign, Participant, User
from arena.services.people import join_guest
from tests.arena.builders import make_participant
from tests.security.authorisation.tables import lines

EVERYTHING = "*"
PASSWORD = "bide luze baten hasiera"
STAFF = ("moderator", "keeper", "halfway", "superuser")


@dataclass(frozen=True, slots=True)
class Somebody:
    user: User | None = None
    participant: Participant | None = None
    cookie: str = ""
    """Empty for a browser that was never here."""


def guest(campaign: Campaign) -> Somebody:
    return _with_session(None, make_participant(campaign))


def volunteer(campaign: Campaign, name: str, *permissions: str) -> Somebody:
    user = User.objects.create_user(name, f"{name}@adibidea.eus", PASSWORD)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    user.user_permissions.set(permissions_called(permissions))
    return _with_session(user, join_guest(guest_id=make_participant(campaign).pk, user=user))


def staff() -> dict[str, Somebody]:
    """Moderators and keepers with what ``permissions.txt`` gives them, and superusers; all but *halfway* gave their second factor."""
    superusers = {"halfway", "superuser"}
    return {
        role: member_of_staff(role, is_superuser=role in superusers, has_factor=role != "halfway")
        for role in STAFF
    }


def member_of_staff(name: str, *, is_superuser: bool = False, has_factor: bool = True) -> Somebody:
    user = User.objects.create_user(name, "", PASSWORD, is_staff=True, is_superuser=is_superuser)
    user.user_permissions.set(permissions_called(given(name)))
    return _with_session(user, None, has_factor=has_factor)


def given(role: str) -> list[str]:
    return [permission for who, permission in lines("permissions.txt") if who == role]


def permissions_called(names: Iterable[str]) -> list[Permission]:
    """``app.codename``, or ``app.*`` for all of an app."""
    found: list[Permission] = []
    for name in names:
        app, codename = name.split(".")
        of_app = Permission.objects.filter(content_type__app_label=app)
        matching = of_app if codename == EVERYTHING else of_app.filter(codename=codename)
        assert matching, f"there is no permission {name}"
        found += matching
    return found


def every_permission() -> dict[str, int]:
    """Their keys by ``app.codename``."""
    found = Permission.objects.values_list("content_type__app_label", "codename", "pk")
    return {f"{app}.{codename}": key for app, codename, key in found}


def permissions_of(who: Somebody) -> frozenset[str]:
    assert who.user is not None
    found = who.user.user_permissions.values_list("content_type__app_label", "codename")
    return frozenset(f"{app}.{codename}" for app, codename in found)


def _with_session(
    user: User | None, participant: Participant | None, *, has_factor: bool = False
) -> Somebody:
    client = Client()
    if user is not None:
        client.force_login(user)
    session = client.session
    if participant is not None:
        sessions.remember_participant(session, participant.pk)
    if has_factor:
        assert user is not None
        Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
        an_hour_ago = timezone.now().timestamp() - 3600
        session["account_authentication_methods"] = [{"method": "mfa", "at": an_hour_ago}]
        session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    return Somebody(user, participant, client.cookies["sessionid"].value)
