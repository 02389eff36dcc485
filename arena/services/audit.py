"""The audit log: who did what, as keys and names of acts. It is written where staff and operators come in, so that no act of theirs passes it by."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.core.management import get_commands
from django.db import DatabaseError

from arena.models import AuditEntry, User
from arena.models.audit import MOST_ABOUT_CHARS, MOST_ACT_CHARS
from arena.types import AuditWay

logger = logging.getLogger(__name__)
_OURS = ("arena", "inference")
READING = frozenset(
    {"demo", "probe_endpoints", "rank", *(f"fleet {verb}" for verb in ("plan", "up", "status", "down"))}
)
"""Commands of ours that are not noted: they change nothing of the site's that anybody is asked about later."""
_DJANGOS = frozenset(
    {"changepassword", "clearsessions", "createsuperuser", "dbshell", "flush", "loaddata", "shell"}
)


def note(way: AuditWay, act: str, *, staff_id: int | None = None, about: Sequence[object] = ()) -> None:
    """Add an entry. *about* holds keys, never names."""
    keys = " ".join(map(str, about))
    AuditEntry.objects.create(
        way=way.value,
        staff_id=staff_id,
        act=act[:MOST_ACT_CHARS],
        about=keys if len(keys) <= MOST_ABOUT_CHARS else f"{keys[: MOST_ABOUT_CHARS - 1]}…",
    )


def note_own(user: User, act: str) -> None:
    """What a member of staff did about their own account; of volunteers nothing is noted."""
    if user.is_staff:
        note(AuditWay.ACCOUNT, act, staff_id=user.pk)


def note_command(argv: Sequence[str]) -> None:
    """That a command of ``manage.py`` ran: its name and the names of its options, whose values may name people.

    Where the database cannot be written to, that is said instead: the command is over, and may have been about just that.
    """
    name, given = (argv[1] if len(argv) > 1 else ""), list(argv[2:])
    is_ours = get_commands().get(name) in _OURS
    if name == "fleet":
        name = " ".join(argv[1:3])
    if (not (is_ours and name not in READING) and name not in _DJANGOS) or {"-h", "--help"} & set(given):
        return
    options = [each.partition("=")[0] for each in given if each.startswith("--")]
    try:
        note(AuditWay.COMMAND, " ".join([name, *options]))
    except DatabaseError as error:
        logger.error("%s is not in the audit log: %s", name, type(error).__name__)  # noqa: TRY400  # no traceback for operators
