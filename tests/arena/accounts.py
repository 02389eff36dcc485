"""People who sign up, log in and set up a second factor through the site's pages."""

from __future__ import annotations

import re
from typing import Any

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core import mail
from django.test import Client
from django.urls import reverse

ADDRESS = "ane@adibidea.eus"
LONG = "pasahitz luzea eta ona, hirurogeita lau karaktere baino gehiagokoa: " * 2
CODE = re.compile(r"^[A-Z0-9]{3,}-?[A-Z0-9]{3,}$", re.MULTILINE)


def code_from(message: mail.EmailMessage) -> str:
    found = CODE.search(str(message.body))
    assert found is not None, message.body
    return found[0]


def signed_up(client: Client, address: str = ADDRESS, password: str = "") -> Any:
    client.post(reverse("account_signup"), {"email": address, "password1": password})
    code = code_from(mail.outbox[-1])
    return client.post(reverse("account_email_verification_sent"), {"code": code})


def by_code(client: Client, address: str = ADDRESS) -> Any:
    client.post(reverse("account_request_login_code"), {"email": address})
    answer: Any = client.post(reverse("account_confirm_login_code"), {"code": code_from(mail.outbox[-1])})
    return answer


def check_look(answer: Any) -> None:
    assert answer.status_code == 200
    page = answer.content.decode()
    assert 'class="masthead"' in page
    assert 'lang="eu"' in page
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//|src=\"data:", page)


def confirm(client: Client, password: str) -> None:
    """The password once more, as before every change of how one logs in."""
    client.post(reverse("account_reauthenticate"), {"password": password})


def activate(client: Client, password: str = LONG) -> str:
    """Set up a second factor in this browser; its key."""
    confirm(client, password)
    client.get(reverse("mfa_activate_totp"))
    key = str(client.session["mfa.totp.secret"])
    answer = client.post(reverse("mfa_activate_totp"), {"code": current_code(key)})
    assert answer.headers["Location"] == reverse("mfa_view_recovery_codes")
    return key


def current_code(key: str) -> str:
    return str(format_hotp_value(hotp_value(key, next(yield_hotp_counters_from_time()))))
