"""Sessions beyond Django's own: whose they are ended, and logins that were begun and not finished forgotten."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from arena.models import Session
from arena.session_store import SessionStore

UNFINISHED = (
    *("account_login", "account_email_verification_code", "account_password_reset_verification"),
    *("account_phone_verification", "account_reauthentication_state", "account_verified_email"),
    *("mfa.totp.secret", "mfa.webauthn.state", "_password_reset_key"),
)
"""Where django-allauth keeps addresses, codes and keys of what somebody has begun in this browser."""
_CODES_LIVE = timedelta(days=1)


def end_all(*, account_id: int) -> None:
    """End all sessions of an account; its sockets follow within seconds."""
    Session.objects.filter(account_id=account_id).delete()


def forget_unfinished(addresses: Collection[str]) -> int:
    """Take these addresses out of the browsers in which somebody began to log in with one and did not finish. Returns how many."""
    meant = [each.lower() for each in addresses if each]
    return _cleared(
        each
        for each in Session.objects.filter(account_id=None).iterator()
        if any(address in str(each.get_decoded()).lower() for address in meant)
    )


def forget_stale(*, dry_run: bool = False) -> int:
    """Forget what nobody went on with for a day; the sessions themselves go on. Returns how many.

    A session keeps no time of its own but its end, from which its last change follows.
    """
    changed_before = timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE) - _CODES_LIVE
    stale = Session.objects.filter(expire_date__lt=changed_before).iterator()
    holding = (each for each in stale if not set(UNFINISHED).isdisjoint(each.get_decoded()))
    return sum(1 for _ in holding) if dry_run else _cleared(holding)


def _cleared(rows: Iterable[Session]) -> int:
    cleared = 0
    for row in rows:
        kept = {name: value for name, value in row.get_decoded().items() if name not in UNFINISHED}
        row.session_data = SessionStore().encode(kept)
        row.save(update_fields=["session_data"])
        cleared += 1
    return cleared
