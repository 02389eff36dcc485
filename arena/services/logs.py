"""Log files under the data folder: set aside once a day, deleted when they are old."""

from __future__ import annotations

import shutil
from datetime import date, datetime
from pathlib import Path

from django.utils import timezone


def rotate(folder: Path, before: datetime, *, dry_run: bool = False) -> int:
    """Delete what was set aside before a day, and set today's lines aside for tomorrow, once a day. Returns how many files are deleted.

    Services hold their logs open and append to them, so that a log is copied and emptied, never renamed; a line written between the two is lost.
    """
    aside = {path: day for path in folder.glob("*.log.*") if (day := _day_of(path)) is not None}
    old = [path for path, day in aside.items() if day < timezone.localtime(before).date()]
    if not dry_run:
        for path in old:
            path.unlink(missing_ok=True)
        for path in folder.glob("*.log"):
            _set_aside(path, timezone.localdate())
    return len(old)


def _set_aside(path: Path, today: date) -> None:
    kept = path.with_name(f"{path.name}.{today.isoformat()}")
    if kept.exists() or not path.stat().st_size:
        return
    shutil.copy2(path, kept)
    with path.open("r+b") as log:
        log.truncate()


def _day_of(path: Path) -> date | None:
    try:
        return date.fromisoformat(path.suffix.removeprefix("."))
    except ValueError:
        return None
