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
    found = {}
    for role in STAFF:
        is_superuser = role in {"halfway", "superuser"}
        user = User.objects.create_user(role, "", PASSWORD, is_staff=True, is_superuser=is_superuser)
        user.user_permissions.set(permissions_called(given(role)))
        found[role] = _with_session(user, None, has_factor=role != "halfway")
    return found


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
        Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
        session["account_authentication_methods"] = [{"method": "mfa", "at": timezone.now().timestamp()}]
    session.save()
    return Somebody(user, participant, client.cookies["sessionid"].value)
