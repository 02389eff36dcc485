"""Accounts that commands are told by their address."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.core.management.base import CommandError, CommandParser
from django.db.models import Q

from arena.models import User

BAD_INPUT = 2


def account_of(address: str) -> User:
    """The one account with that address. Raises :class:`CommandError`."""
    holders = EmailAddress.objects.filter(email__iexact=address).values("user")
    found = User.objects.filter(Q(email__iexact=address) | Q(pk__in=holders)).distinct()[:2]
    if len(found) != 1:
        raise CommandError("not one account has this address", returncode=BAD_INPUT)
    return found[0]


def add_by(parser: CommandParser) -> None:
    """``--by ADDRESS``, which :func:`asked_by` reads."""
    parser.add_argument("--by", metavar="ADDRESS", help="whose account the log names; nobody's, if left out")


def asked_by(address: str | None) -> User | None:
    return account_of(address) if address else None
