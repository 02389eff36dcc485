"""Files of votes for researchers, each with a line of who made it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.db import connection
from django.utils import timezone

from arena.errors import ExportRefused
from arena.exports import foreign
from arena.exports.cleaning import for_layout
from arena.exports.files import Format, Written, write
from arena.exports.filters import Filters
from arena.exports.foreign import Given
from arena.exports.hours import by_the_hour
from arena.exports.layouts import Context, Layout, Row
from arena.exports.pseudonyms import KEY_BYTES, Pseudonyms, Published
from arena.exports.records import Record
from arena.exports.suppression import suppressing
from arena.models import Campaign, Export, ExportKey, User
from arena.selectors import exports
from arena.selectors.imports import imported_counts, imported_votes, row_as_given, source_of
from arena.types import ExportProblem, VoteSource
from inference.crypto import decrypt, encrypt
from ranking.models import Board
from ranking.types import BoardKind
from ranking.version import code_version

MARGIN = timedelta(seconds=5)
"""Between the cut-off and now: whatever was voted by then has at least begun to be written."""
RELEASE_KEYS = "release-"
"""So begins the name of a release's key, with which nothing else is made: exact times beside its pseudonyms would undo what a release hides."""
_PATIENCE_S = 120.0
_LOOK_S = 0.2


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for."""

    layout: Layout
    form: Format
    filters: Filters
    key: str = "ad-hoc"
    by_the_hour: bool = False
    """As releases have it: times to the hour, the rows of an hour by their ids."""


def latest_cutoff() -> datetime:
    """The last whole second that can be a cut-off now."""
    return (timezone.now() - MARGIN).replace(microsecond=0)


def preview(order: Order) -> exports.Counts:
    """What the file would hold. Raises :class:`ExportRefused`."""
    board = check(order)
    with exports.one_snapshot():
        if board is not None:
            return exports.Counts(*imported_counts(board, order.filters), other_licence=0)
        return exports.counts(order.filters, order.layout)


def export(order: Order, *, folder: Path, by: User | None = None) -> tuple[Path, Export]:
    """Write one file into *folder*, under the layout's name, and note that it was made.

    The same order gives the same bytes, save that what was withdrawn, hidden or erased since is gone. Raises :class:`ExportRefused` and :class:`OSError`.
    """
    written = make_file(order, folder=folder)
    return written.path, note(order, written, by=by)


def make_file(order: Order, *, folder: Path, told: Callable[[], object] = lambda: None) -> Written:
    """As :func:`export`, without noting it. Calls *told* before each battle, which ends the export by raising."""
    check(order)
    settle(order.filters)
    key = _key_of(order)
    name = "-".join(filter(None, (order.filters.source, order.layout.name)))
    with exports.one_snapshot():
        rows = _imported_rows(order, told) if key is None else rows_of(order, key, seen=lambda _: told())
        return write(rows, order.layout, folder / f"{name}.{order.form.value}", order.form)


def note(order: Order, written: Written, *, by: User | None) -> Export:
    """That this file was given away, and by whom."""
    return Export.objects.create(
        by=by,
        key=_key_of(order),
        layout=order.layout.name,
        format=order.form.value,
        filters=order.filters.as_json(),
        cutoff=order.filters.cutoff,
        rows=written.rows,
        size_bytes=written.size_bytes,
        sha256=written.sha256,
        version=code_version(),
    )


def key_of(name: str) -> ExportKey:
    """The key of that name, made at its first use."""
    fresh = encrypt(secrets.token_bytes(KEY_BYTES).hex())
    return ExportKey.objects.get_or_create(name=name, defaults={"token": fresh})[0]


def _key_of(order: Order) -> ExportKey | None:
    """None where nothing is renamed."""
    return None if order.filters.source else key_of(order.key)


def pseudonyms_of(key: ExportKey) -> Pseudonyms:
    return Pseudonyms(bytes.fromhex(decrypt(key.token)))


def rows_of(order: Order, key: ExportKey, *, seen: Callable[[Record], object] | None = None) -> Iterator[Row]:
    """The rows of one file, for the length of a snapshot; *seen* is shown each record of them."""
    pseudonyms = pseudonyms_of(key)
    context = Context(
        pseudonyms=pseudonyms,
        suppressed=suppressing(exports.declared(order.filters, order.layout)),
    )
    records = exports.records(order.filters, order.layout)
    for record in by_the_hour(records, pseudonyms) if order.by_the_hour else records:
        if seen is not None:
            seen(record)
        yield from order.layout.rows(for_layout(record, order.layout), context)


def _imported_rows(order: Order, told: Callable[[], object]) -> Iterator[Row]:
    """What a source published about people and rows is published: it is neither renamed nor suppressed."""
    context = Context(Published(), suppressed=lambda level, education: (level, education))
    board = Board.objects.get(slug=order.filters.source)
    for vote in imported_votes(board, order.filters):
        told()
        given = Given(VoteSource(vote.source), row_as_given(vote), vote.cast_at)
        yield from foreign.rows(given, order.layout, context)


def check(order: Order) -> Board | None:
    """The board of imported votes, where the order asks for such."""
    filters = order.filters
    if order.key.startswith(RELEASE_KEYS) and not order.by_the_hour:
        raise ExportRefused(f"keys that begin with {RELEASE_KEYS} are those of releases")
    if filters.cutoff > timezone.now() - MARGIN:
        raise ExportRefused(f"the cut-off must be {MARGIN.seconds} seconds ago at least")
    if filters.source:
        return _check_source(order)
    if filters.board and not Board.objects.filter(slug=filters.board, kind=BoardKind.LIVE.value).exists():
        raise ExportRefused(f"there is no board {filters.board} of our own votes")
    if filters.campaign and not Campaign.objects.filter(slug=filters.campaign).exists():
        raise ExportRefused(f"there is no campaign {filters.campaign}")
    return None


def _check_source(order: Order) -> Board:
    filters = order.filters
    if filters.campaign or filters.board or filters.excluded is not None:
        raise ExportRefused("imported votes have neither a campaign nor reasons against them")
    board = Board.objects.filter(slug=filters.source).first()
    source = None if board is None else source_of(board)
    if board is None or source is None:
        raise ExportRefused(f"there is no board {filters.source} with imported votes")
    if order.layout.name not in (fitting := foreign.LAYOUTS_OF[source]):
        raise ExportRefused(
            f"votes of the layout {source.value} do not tell all of {order.layout.name}: choose one of {', '.join(fitting)}"
        )
    return board


def settle(filters: Filters) -> None:
    """Wait for votes of before the cut-off that are still being written: a repeat would find them, and the first file would lack them."""
    until = time.monotonic() + _PATIENCE_S
    while exports.earlier_transactions(filters):
        if time.monotonic() >= until:
            raise ExportRefused(
                "a transaction of before the cut-off is still open; try again, or with a later cut-off",
                ExportProblem.BUSY,
            )
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(%s)", [_LOOK_S])
