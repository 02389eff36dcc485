"""The stored numbers that a page shows, or why there are none."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from arena.reports.base import Source, Text
from arena.selectors.snapshots import latest_snapshot, report_on
from ranking.models import Snapshot
from ranking.numbers import Numbers
from ranking.types import Criterion, TieRule

UNPUBLISHED = _("This board has not been published yet: that follows within minutes of the first votes.")
_NOT_YET = _(
    "The last published board is older than this page: its numbers come with the next one, within minutes."
)
_FAILED = _(
    "For the last published board these numbers could not be computed; its ratings are not touched by that."
)
_NO_VOTES = _("There are no votes yet: yours can be the first.")


@dataclass(frozen=True, slots=True)
class Published:
    """*numbers* of the board that was published last, *snapshot*; without numbers, *reason* says why."""

    snapshot: Snapshot | None = None
    numbers: Numbers | None = None
    reason: Text = ""


def published(source: Source, report: str, part: str = "", criterion: Criterion | None = None) -> Published:
    """What was stored of a report, for the source's criterion or another. Two queries, whatever the number of votes."""
    snapshot = latest_snapshot(board=source.board, criterion=criterion or source.criterion, ties=TieRule.HALF)
    if snapshot is None:
        return Published(reason=UNPUBLISHED)
    stored = report_on(snapshot, report=report, part=part)
    if stored is None:
        return Published(snapshot, reason=_NOT_YET)
    if stored.payload is None:
        return Published(snapshot, reason=_FAILED)
    numbers = Numbers.from_json(stored.payload)
    return Published(snapshot, reason=_NO_VOTES) if numbers.is_empty else Published(snapshot, numbers)
