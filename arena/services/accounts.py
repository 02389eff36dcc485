"""Closing accounts: addresses, names, second factors, sessions, tokens, and what the admin's history says of them."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import ProtectedError, Q
from django.utils import timezone

from arena.models import ApiToken, User
from arena.services.sessions import end_all, forget_unfinished

ERASED = "—"
"""What stands in the place of a text that was deleted: a turn without a text, or a complete answer without one, there cannot be."""


def close_account(user: User) -> set[str]:
    """Delete the account with everything that is its own; inside the caller's transaction, once no participant refers to it. Returns its addresses.

    An account under whose name others stand (decisions of former staff, exports) stays as a row that names nobody and opens nothing.
    """
    addresses = {user.email, *EmailAddress.objects.filter(user=user).values_list("email", flat=True)} - {""}
    tokens = ApiToken.objects.filter(owner=user)
    tokens.filter(revoked_at=None).update(revoked_at=timezone.now())
    tokens.update(name=ERASED)
    _forget_in_history(user, addresses)
    end_all(account_id=user.pk)
    forget_unfinished(addresses)
    if LogEntry.objects.filter(user=user).exists() or not _deleted(user):
        _empty(user)
    return addresses


def _forget_in_history(user: User, addresses: set[str]) -> None:
    """The admin's history calls accounts by their names, and addresses by themselves."""
    about = Q(content_type=ContentType.objects.get_for_model(User), object_id=str(user.pk))
    for address in addresses:
        about |= Q(object_repr__icontains=address) | Q(change_message__icontains=address)
    LogEntry.objects.filter(about).update(object_repr=ERASED, change_message="")


def _deleted(user: User) -> bool:
    try:
        with transaction.atomic():
            User.objects.get(pk=user.pk).delete()
    except ProtectedError:
        return False
    return True


def _empty(user: User) -> None:
    EmailAddress.objects.filter(user=user).delete()
    Authenticator.objects.filter(user=user).delete()
    user.groups.clear()
    user.user_permissions.clear()
    user.username = user.public_id.hex
    user.first_name = user.last_name = user.email = ""
    user.is_active = user.is_staff = user.is_superuser = False
    user.last_login = None
    user.set_unusable_password()
    user.save()
