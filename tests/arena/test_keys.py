"""Keys are changed without losing what they keep: nothing needs the old one any more when the command says so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from cryptography.fernet import Fernet
from django.apps import apps
from django.core import signing
from django.core.management import call_command
from django.db import models
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from arena.models import ExportKey, User
from arena.services import exports, keys
from inference import crypto, services
from inference.errors import KeyUnreadable

pytestmark = pytest.mark.django_db
OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))
SEED = "JBSWY3DPEHPK3PXP"
WHAT = ("endpoints", "exports", "second_factors")


@pytest.fixture(autouse=True)
def staff(settings: Settings) -> User:
    """All that is kept encrypted, under the old key; then a new one is put before it."""
    settings.LEHIA_FIELD_KEYS = (OLD,)
    user = User.objects.create_user("begirale", is_staff=True)
    TOTP.activate(user, SEED)
    RecoveryCodes.activate(user)
    exports.key_of("ad-hoc")
    services.add_endpoint(base_url="http://127.0.0.1:20001/v1", model="m", api_key="giltza")
    settings.LEHIA_FIELD_KEYS = (NEW, OLD)
    return user


def kept(user: User) -> list[Any]:
    """What the keys keep, read."""
    factors = {each.type: each.wrap() for each in Authenticator.objects.filter(user=user)}
    pseudonyms = exports.pseudonyms_of(ExportKey.objects.get())
    codes = factors[Authenticator.Type.RECOVERY_CODES].generate_codes()
    return [
        crypto.decrypt(factors[Authenticator.Type.TOTP].instance.data["secret"]),
        codes,
        pseudonyms.id(user.public_id),
    ]


def rotated(capsys: pytest.CaptureFixture[str], **options: bool) -> dict[str, Any]:
    capsys.readouterr()
    call_command("rotate_field_keys", **options)
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def each(**counts: int) -> dict[str, dict[str, int]]:
    none = {"current": 0, "rewritten": 0, "unreadable": 0}
    return {what: none | dict.fromkeys(counts, 1 + (what == "second_factors")) for what in WHAT}


def tokens() -> Iterator[tuple[str, str]]:
    """Whatever looks encrypted, in every column of every table."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, models.TextField | models.CharField | models.JSONField):
                for value in model._default_manager.values_list(field.attname, flat=True):
                    for token in re.findall(r"gAAAA[\w=-]{60,}", json.dumps(value, default=str)):
                        yield f"{model._meta.db_table}.{field.column}", token


def test_after_the_rotation_nothing_needs_the_old_key(
    staff: User, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    before = kept(staff)
    assert before[0] == SEED
    assert len({where for where, _ in tokens()}) == len(WHAT)
    assert rotated(capsys, dry_run=True) == {"dry_run": True} | each(rewritten=1)
    settings.LEHIA_FIELD_KEYS = (NEW,)
    with pytest.raises(KeyUnreadable):
        kept(staff)
    settings.LEHIA_FIELD_KEYS = (NEW, OLD)
    assert rotated(capsys) == {"dry_run": False} | each(rewritten=1)
    stored = list(tokens())
    assert [where for where, token in stored if not crypto.is_current(token)] == []
    settings.LEHIA_FIELD_KEYS = (NEW,)
    assert kept(staff) == before
    assert rotated(capsys) == {"dry_run": False} | each(current=1)
    assert list(tokens()) == stored


def test_one_that_is_cut_off_goes_on(
    staff: User, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before, renew = kept(staff), keys._renew_factor

    def cut(factor: Authenticator) -> bool:
        if factor.type == Authenticator.Type.RECOVERY_CODES:
            raise KeyboardInterrupt
        return renew(factor)

    with monkeypatch.context() as patched:
        patched.setattr(keys, "_renew_factor", cut)
        with pytest.raises(KeyboardInterrupt):
            call_command("rotate_field_keys")
    assert kept(staff) == before
    done = rotated(capsys)
    assert (done["exports"]["current"], done["second_factors"]["rewritten"]) == (1, 1)
    settings.LEHIA_FIELD_KEYS = (NEW,)
    assert kept(staff) == before


def test_what_no_key_reads_is_counted_and_kept(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = list(tokens())
    settings.LEHIA_FIELD_KEYS = (NEW,)
    with pytest.raises(SystemExit) as caught:
        call_command("rotate_field_keys")
    assert caught.value.code == 1
    told = json.loads(capsys.readouterr().out)
    assert {what: told[what] for what in WHAT} == each(unreadable=1)
    assert list(tokens()) == stored


# The secret key


def test_a_session_and_a_signature_outlive_the_secret_key_as_long_as_it_is_a_fallback(
    staff: User, client: Client, settings: Settings
) -> None:
    old = settings.SECRET_KEY
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    signed, page = signing.dumps("zerbait"), reverse("account_email")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "b" * 64, [old]
    assert client.get(page).status_code == 200
    assert signing.loads(signed) == "zerbait"
    settings.SECRET_KEY_FALLBACKS = []
    assert client.get(page).status_code == 200, "it was signed anew on the way"
    with pytest.raises(signing.BadSignature):
        signing.loads(signed)
    settings.SECRET_KEY = "c" * 64
    assert client.get(page).status_code == 302
