"""Planted words are on no page of the admin for staff who may not read texts or see who somebody is."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from arena.models import (
    Answer,
    ApiToken,
    Battle,
    Doubt,
    ExportJob,
    ModerationEntry,
    Participant,
    Report,
    SpanFeedback,
    Turn,
    User,
    Vote,
)
from tests.arena.canaries.world import World, leaks, ordered
from tests.arena.releases.made import held

pytestmark = pytest.mark.django_db(transaction=True)
THEIRS: tuple[type[Model], ...] = (
    *(User, Participant, ApiToken, EmailAddress, EmailConfirmation, Authenticator),
    *(Turn, Answer, Report, ModerationEntry, Doubt, SpanFeedback),
)
"""What volunteers wrote, and who they are: a permission each."""


def staff(*hidden: type[Model]) -> Client:
    """Who may look at everything but that."""
    user = User.objects.create_user("langilea", is_staff=True)
    kept = [f"view_{each._meta.model_name}" for each in hidden]
    user.user_permissions.set(
        Permission.objects.filter(codename__startswith="view_").exclude(codename__in=kept)
    )
    client = Client()
    client.force_login(user)
    return client


def pages(client: Client) -> dict[str, str]:
    """Every list and every thing of the admin, by its address, that the client is given."""
    found = {}
    for model in [*admin.site._registry, None]:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}" if model else ""
        addresses = [reverse(f"{name}_changelist")] if model else [reverse("admin:index")]
        if model and model._meta.managed:
            addresses += [reverse(f"{name}_change", args=[each.pk]) for each in model._default_manager.all()]
        for address in addresses:
            answer = client.get(address)
            if answer.status_code == 200:
                found[address] = answer.content.decode()
    return found


def test_staff_without_the_right_to_texts_and_people_see_none(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    held()
    ordered(world)
    read = pages(staff(*THEIRS))
    for model in (Battle, Vote, ExportJob):
        address = reverse(f"admin:arena_{model._meta.model_name}_changelist")
        assert any(each.startswith(address) and each != address for each in read), address
    assert len(read) > 30
    assert {address: found for address, text in read.items() if (found := leaks(text))} == {}
    assert leaks(caplog.text) == []


def test_each_of_these_rights_shows_something_so_that_there_was_something_to_see(world: World) -> None:
    read = pages(staff())
    for model in (User, Participant, Turn, Report, ApiToken):
        address = reverse(f"admin:arena_{model._meta.model_name}_changelist")
        assert any(leaks(text) for each, text in read.items() if each.startswith(address)), address
