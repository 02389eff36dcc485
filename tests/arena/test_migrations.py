"""Migrations beside a site that goes on: what new ones may not do without a reason, and how ``migrate`` waits."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.contrib.postgres.operations import AddIndexConcurrently
from django.core.management import CommandError, call_command
from django.db import connection, migrations, models
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation

from arena.database import elsewhere, patience
from arena.database.patience import GivenUp, Patience, patiently
from tests.arena.databases import database

# older ones are of before the first release, when no site had votes to hold up
FIRST_HELD = {"arena": "0040", "inference": "0006", "ranking": "0006"}
# matters of taste, and the time-outs that migrate itself sets
LEFT_OUT = (
    "prefer-bigint-over-int,prefer-bigint-over-smallint,prefer-text-field,prefer-robust-stmts,prefer-identity,"
    "require-lock-timeout,require-statement-timeout"
)
OTHER = "migrations_are_of_this"


def found_in(sql: str, *, in_transaction: bool) -> set[str]:
    """The rules of squawk that these statements break."""
    squawk = str(Path(sys.executable).parent / "squawk")
    argv = [squawk, "--pg-version=18", "--reporter=json", f"--exclude={LEFT_OUT}", "--stdin-filepath=it.sql"]
    if in_transaction:
        argv.append("--assume-in-transaction")
    done = subprocess.run(argv, input=sql, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stderr
    return {each["rule_name"] for each in json.loads(done.stdout)}


def sql_of(migration: Migration, state: Any) -> str:
    with connection.schema_editor(collect_sql=True, atomic=migration.atomic) as editor:
        migration.apply(state, editor, collect_sql=True)
    return "\n".join(editor.collected_sql)


def made_of(*operations: Operation, atomic: bool = True) -> Migration:
    kind: type[Migration] = type("Migration", (Migration,), {"operations": operations, "atomic": atomic})
    return kind("9999_it", "arena")


def held() -> list[Migration]:
    found = MigrationLoader(connection).disk_migrations.items()
    return [each for (app, name), each in sorted(found) if name[:4] >= FIRST_HELD.get(app, "9999")]


@pytest.mark.django_db(transaction=True)
def test_no_new_migration_is_dangerous_without_a_reason() -> None:
    """A reason stands in the migration, ``safe_because = {"rule": "reason"}``; rules and what to do instead: squawkhq.com/docs/rules."""
    loader = MigrationLoader(connection)
    for each in held():
        reasons: dict[str, str] = getattr(each, "safe_because", {})
        rules = found_in(
            sql_of(each, loader.project_state((each.app_label, each.name), at_end=False)),
            in_transaction=each.atomic,
        )
        unexplained = rules - {rule for rule, reason in reasons.items() if reason.strip()}
        assert not unexplained, f"{each}: {', '.join(sorted(unexplained))}"
        assert not reasons.keys() - rules, f"{each}: reasons for what it does not do"


BY = models.Index(fields=["created_at"], name="vote_by_time")
DANGERS: dict[str, tuple[Operation, str]] = {
    "index": (migrations.AddIndex("vote", BY), "require-concurrent-index-creation"),
    "unique": (
        migrations.AddConstraint("vote", models.UniqueConstraint(fields=["created_at"], name="u")),
        "disallowed-unique-constraint",
    ),
    "check": (
        migrations.AddConstraint("vote", models.CheckConstraint(condition=models.Q(credited=True), name="c")),
        "constraint-missing-not-valid",
    ),
    "rename": (migrations.RenameField("vote", "credited", "thanked"), "renaming-column"),
    "rename table": (migrations.RenameModel("Vote", "Ballot"), "renaming-table"),
    "type": (migrations.AlterField("vote", "winner", models.CharField(max_length=5)), "changing-column-type"),
    "not null": (migrations.AlterField("turn", "runner_id", models.UUIDField()), "adding-not-nullable-field"),
    "default of Django alone": (
        migrations.AddField("vote", "mood", models.CharField(max_length=5, default="")),
        "ban-drop-default",
    ),
    "drop": (migrations.RemoveField("vote", "credited"), "ban-drop-column"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("danger", DANGERS)
def test_the_check_sees_what_holds_up_votes_or_breaks_the_code_before(danger: str) -> None:
    operation, rule = DANGERS[danger]
    migration = made_of(operation)
    loader = MigrationLoader(connection)
    state = loader.project_state(loader.graph.leaf_nodes())
    assert rule in found_in(sql_of(migration, state), in_transaction=True)


@pytest.mark.django_db(transaction=True)
def test_the_check_takes_what_is_safe() -> None:
    concurrent = made_of(AddIndexConcurrently("vote", BY), atomic=False)
    column = made_of(
        migrations.AddField("vote", "mood", models.TextField(null=True)),
        migrations.AddField("vote", "weather", models.CharField(max_length=5, db_default="")),
    )
    loader = MigrationLoader(connection)
    state = loader.project_state(loader.graph.leaf_nodes())
    assert found_in(sql_of(column, state.clone()), in_transaction=True) == set()
    assert found_in(sql_of(concurrent, state), in_transaction=False) == set()


# How it waits


@contextmanager
def reader(table: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """Another connection that has read a table and whose transaction is open."""
    with elsewhere.connect() as other:
        other.execute(f"LOCK TABLE {table} IN ACCESS SHARE MODE")
        yield other
        other.rollback()


def setting(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        return str(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_a_migration_gives_way_to_a_long_read_and_comes_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with database(OTHER, like=str(connection.settings_dict["NAME"])):
        with reader("arena_doubt") as other:
            with pytest.raises(CommandError, match=r"not free in 2 attempts.*nothing of that one does"):
                call_command("migrate", "arena", "0034", lock_s=0.05, attempts=2, verbosity=0)
            monkeypatch.setattr("arena.database.patience.time.sleep", lambda _: other.rollback())
            caplog.clear()
            call_command("migrate", "arena", "0034", lock_s=0.05, verbosity=0)
        assert [each.getMessage() for each in caplog.records] == ["attempt 1 of 30: a lock was not free"]
        assert (setting("lock_timeout"), setting("statement_timeout")) == ("0", "0")
        call_command("migrate", verbosity=0)


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_behind_it_longer_than_it_waits_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """While it pauses, others read and write."""
    written = []

    def pause(_: float) -> None:
        with elsewhere.connect() as third:
            third.execute("SET lock_timeout = '10s'")
            third.execute("LOCK TABLE arena_doubt IN ROW EXCLUSIVE MODE")
        written.append(True)

    monkeypatch.setattr("arena.database.patience.time.sleep", pause)
    with (
        database(OTHER, like=str(connection.settings_dict["NAME"])),
        reader("arena_doubt"),
        pytest.raises(CommandError),
    ):
        call_command("migrate", "arena", "0034", lock_s=0.05, attempts=3, verbosity=0)
    assert written == [True, True]


FEW = Patience(lock_s=0.05, statement_s=0.1, attempts=1)


@pytest.mark.django_db(transaction=True)
def test_a_statement_that_takes_too_long_is_ended() -> None:
    def slow() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(600)")

    with pytest.raises(GivenUp, match=r"longer than 0\.1 s"):
        patiently(slow, FEW)
    assert setting("statement_timeout") == "0"


@pytest.mark.django_db(transaction=True)
def test_two_of_them_do_not_meet() -> None:
    with elsewhere.connect() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [patience._ONE_AT_A_TIME])
        with pytest.raises(GivenUp, match="not free"):
            patiently(lambda: pytest.fail("both ran"), FEW)
    patiently(lambda: None, FEW)


@pytest.mark.django_db(transaction=True)
def test_an_index_that_was_left_half_made_is_dropped_before_it_is_made_again() -> None:
    index = "CREATE INDEX CONCURRENTLY half_made ON arena_doubt (kind)"
    with connection.cursor() as cursor:
        cursor.execute(index)
        cursor.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'half_made'::regclass")
        patiently(lambda: cursor.execute(index), FEW)
        cursor.execute("DROP INDEX half_made")
