"""What is kept for a time, and deleted afterwards. ``docs/privacy.md`` has the table; a test holds it against this one."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from arena import streams
from arena.backups import folders
from arena.models import ApiToken, ApiTokenUse, AuditEntry, Battle, DataEntry, Draw, Session, User
from arena.services import logs
from arena.services.erasure import erase_account, release_account
from arena.services.export_jobs import drop_taken_back
from arena.services.sessions import forget_stale
from arena.types import DataAct

logger = logging.getLogger(__name__)

Sweep = Callable[[datetime, bool], int]
"""Deletes what is of before a time, or only counts it. Returns how many."""


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    setting: str
    """The days, by the name of their setting; empty where what is stored says itself when it is over."""
    sweep: Sweep

    @property
    def days(self) -> int:
        return int(getattr(settings, self.setting)) if self.setting else 0


def retain(*, dry_run: bool = False) -> dict[str, int]:
    """Follow every rule. Returns how much each deleted, or with *dry_run* would. One that fails is logged, left out, and keeps none of the others."""
    now, told = timezone.now(), {}
    for rule in RULES:
        try:
            told[rule.name] = rule.sweep(now - timedelta(days=rule.days), dry_run)
        except (OSError, DatabaseError):
            logger.exception("what %s says was not deleted", rule.name)
    return told


def _sessions(before: datetime, dry_run: bool) -> int:
    return _gone(Session.objects.filter(expire_date__lt=before), dry_run)


def _unfinished(_before: datetime, dry_run: bool) -> int:
    return forget_stale(dry_run=dry_run)


def _limits(before: datetime, dry_run: bool) -> int:
    """Counts of limits, some by address: Django deletes what ran out only once there is much of it."""
    deed = "SELECT count(*) FROM" if dry_run else "DELETE FROM"
    with connection.cursor() as cursor:
        cursor.execute(f"{deed} arena_cache WHERE expires < %s", [before])  # one of two words
        return int(cursor.fetchone()[0]) if dry_run else cursor.rowcount


def _token_uses(before: datetime, dry_run: bool) -> int:
    return _gone(ApiTokenUse.objects.filter(day__lt=before.date()), dry_run)


def _downloads(before: datetime, dry_run: bool) -> int:
    """Imports stay: they say where a board's numbers came from."""
    return _gone(DataEntry.objects.filter(act=DataAct.DOWNLOADED.value, created_at__lt=before), dry_run)


def _unconfirmed(before: datetime, dry_run: bool) -> int:
    """Accounts whose address nobody has confirmed, and with which nobody ever logged in."""
    found = User.objects.filter(
        date_joined__lt=before, last_login=None, is_staff=False, is_superuser=False, participant=None
    ).exclude(Q(emailaddress__verified=True) | Q(emailaddress=None))
    return _closed(found.distinct(), erase_account, dry_run)


def _after_the_draw(before: datetime, dry_run: bool) -> int:
    """Accounts that took part in a campaign whose raffle was drawn by then, of whoever has not been here since.

    Their votes and texts stay, of a participant without an account. Whoever takes part elsewhere, or holds a token that opens something, keeps theirs.
    """
    battles = Battle.objects.filter(participant__user=OuterRef("pk"))
    drawn = battles.filter(campaign__draw__drawn_at__lt=before)
    open_draws = Draw.objects.filter(Q(drawn_at=None) | Q(drawn_at__gte=before))
    busy = battles.filter(Q(created_at__gte=before) | Q(campaign__draw__in=open_draws))
    tokens = ApiToken.objects.filter(owner=OuterRef("pk"), revoked_at=None, expires_at__gt=timezone.now())
    found = User.objects.filter(
        Exists(drawn), ~Exists(busy), ~Exists(tokens), is_staff=False, is_superuser=False
    )
    away = found.filter(Q(last_login=None) | Q(last_login__lt=before), groups=None, user_permissions=None)
    return _closed(away, release_account, dry_run)


def _closed(found: QuerySet[User], close: Callable[..., object], dry_run: bool) -> int:
    keys = list(found.values_list("pk", flat=True))
    for key in () if dry_run else keys:
        close(user_id=key)
    return len(keys)


def _audit(before: datetime, dry_run: bool) -> int:
    return _gone(AuditEntry.objects.filter(created_at__lt=before), dry_run)


def _gone(
    rows: QuerySet[Session] | QuerySet[ApiTokenUse] | QuerySet[AuditEntry] | QuerySet[DataEntry],
    dry_run: bool,
) -> int:
    return rows.count() if dry_run else rows.delete()[0]


def _mails(before: datetime, dry_run: bool) -> int:
    folder = getattr(settings, "EMAIL_FILE_PATH", None)
    return _files(Path(folder), before, dry_run) if folder else 0


def _exports_taken_back(_before: datetime, dry_run: bool) -> int:
    """Ordered exports that hold what was erased, withdrawn or hidden since; the others go when their days are over."""
    return drop_taken_back(dry_run=dry_run)


def _backups(before: datetime, dry_run: bool) -> int:
    """Those of ``manage.py backup`` go whole or not at all; of others, each file by itself."""
    made = folders.all_in(settings.LEHIA_BACKUPS)
    old = [each for each in made if (each / folders.MANIFEST).stat().st_mtime < before.timestamp()]
    for each in () if dry_run else old:
        shutil.rmtree(each)
    return len(old) + _files(settings.LEHIA_BACKUPS, before, dry_run, but=made)


def _logs(before: datetime, dry_run: bool) -> int:
    return logs.rotate(settings.LEHIA_DATA / "logs", before, dry_run=dry_run)


def _files(folder: Path, before: datetime, dry_run: bool, but: Sequence[Path] = ()) -> int:
    """Files that were last written before a time, also in folders of it; what others delete meanwhile is gone as well."""
    found = (path for path in _within(folder) if not any(each in path.parents for each in but))
    old = [path for path in found if path.lstat().st_mtime < before.timestamp()]
    for path in () if dry_run else old:
        path.unlink(missing_ok=True)
    return len(old)


def _within(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() or path.is_symlink())


def _valkey(_before: datetime, dry_run: bool) -> int:
    """Streams end within the hour; the file that Valkey keeps them in grows until it is written anew."""
    return 0 if dry_run else int(streams.compact(settings.REDIS_URL))


RULES = (
    Rule("sessions", "", _sessions),
    Rule("unfinished_logins", "", _unfinished),
    Rule("counts_of_limits", "", _limits),
    Rule("unconfirmed_accounts", "LEHIA_UNCONFIRMED_DAYS", _unconfirmed),
    Rule("accounts_after_the_draw", "LEHIA_RAFFLE_EMAIL_DAYS", _after_the_draw),
    Rule("uses_of_tokens", "LEHIA_TOKEN_USE_DAYS", _token_uses),
    Rule("downloads", "LEHIA_DOWNLOAD_LOG_DAYS", _downloads),
    Rule("audit_log", "LEHIA_AUDIT_DAYS", _audit),
    Rule("mails", "LEHIA_MAIL_DAYS", _mails),
    Rule("exports_taken_back", "", _exports_taken_back),
    Rule("logs", "LEHIA_LOG_DAYS", _logs),
    Rule("backups", "LEHIA_BACKUP_DAYS", _backups),
    Rule("valkey_file", "", _valkey),
)
