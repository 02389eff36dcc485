"""What a backup notes of the database, and what a restore looks at before it begins."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection
from django.db.migrations.loader import MigrationLoader

from arena.backups.folders import BoardState, State
from arena.models import Answer, Battle, Participant, ReleaseFile, Turn, User, Vote
from arena.selectors.snapshots import snapshots_of
from ranking.board import build_board
from ranking.models import Board
from ranking.selectors import criteria_of, load_tally
from ranking.services.snapshots import tally_checksum

_COUNTED = (User, Participant, Battle, Turn, Answer, Vote, ReleaseFile)
_TABLES = """SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"""
_OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"


def state() -> State:
    """Rows of the tables that matter, tallies, fits and last snapshots. A query for each table, three for a board's criterion."""
    rows = {model._meta.db_table: model._default_manager.count() for model in _COUNTED}
    return State(rows, list(_boards()))


def _boards() -> Iterator[BoardState]:
    for board in Board.objects.order_by("slug"):
        for criterion in criteria_of(board):
            tally = load_tally(board_id=board.pk, criterion=criterion)
            last = snapshots_of(board=board, criterion=criterion).only("checksum").first()
            yield BoardState(
                board=board.slug,
                criterion=criterion.value,
                n_votes=tally.n_votes,
                tally_checksum=tally_checksum(tally),
                snapshot_checksum=last.checksum if last else "",
                ratings={row.model: row.rating for row in build_board(tally, criterion=criterion).ratings},
            )


def applied_migrations() -> list[str]:
    """As ``app.name``, in order of these. One query."""
    return sorted(".".join(key) for key in MigrationLoader(connection).applied_migrations)


def known_migrations() -> set[str]:
    """Those of this code. No query."""
    return {".".join(key) for key in MigrationLoader(None).disk_migrations}


def postgres_major() -> int:
    """The server's major version. One query."""
    return _count("SHOW server_version_num") // 10_000


def is_empty() -> bool:
    """Whether the database has no table of anybody's. One query."""
    return _count(_TABLES) == 0


def other_sessions() -> int:
    """How many other connections the site's user has to this database. One query."""
    return _count(_OTHERS)


def _count(query: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return int(cursor.fetchone()[0])
