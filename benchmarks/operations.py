"""``python -m benchmarks.operations``: what an operator plans with. A table, then one line of JSON.

A database of so many battles of two turns, whose answers are as long as real ones: its size by table; votes through the service, with fsync; a backup and its
restore; and the last migrations undone and done again, one by one, while votes are cast. ``--keep DIR`` keeps the filled database for the next run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from benchmarks.database import own_database, run_all
from benchmarks.export_voters import Voters
from benchmarks.export_votes import fill_once

Row = dict[str, Any]
APPS = ("arena", "inference", "ranking")
ANSWER_WORDS = 170
"""Of seven characters each: about 1,200, which is what 400 tokens of Basque take."""
TEXTS = """
UPDATE arena_answer a SET text = (SELECT string_agg(substr(md5(a.id::text || n), 1, 6), ' ') FROM generate_series(1, %(words)s) AS n);
VACUUM FULL arena_answer;
ANALYZE;
"""
SIZES = """
SELECT c.relname, pg_relation_size(c.oid) + COALESCE(pg_relation_size(NULLIF(c.reltoastrelid, 0)), 0), pg_indexes_size(c.oid)
FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY pg_total_relation_size(c.oid) DESC LIMIT 8
"""
UNBOUNDED = 1_000_000  # votes a second that nobody reaches
WINDOW_S = 20
MIGRATED_AT = 20
"""Votes a second while migrations run."""


def prepared(votes: int, folder: Path) -> None:
    from django.db import connection

    from arena.embedded import postgres

    fill_once(votes, folder)
    if not (folder / "lengthened").exists():
        run_all(TEXTS, {"words": ANSWER_WORDS})
        (folder / "lengthened").touch()
    connection.close()
    postgres.stop(folder)
    postgres.start(folder)  # from here on with fsync, as a site has it


def sizes() -> Iterator[Row]:
    from django.db import connection

    from arena.models import Battle

    per = Battle.objects.count() / 100_000
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        yield {
            "case": "size",
            "who": "database",
            "gb_per_100k_battles": round(cursor.fetchone()[0] / per / 1e9, 3),
        }
        cursor.execute(SIZES)
        for table, rows, indexes in cursor.fetchall():
            figures = {"gb_per_100k_battles": round((rows + indexes) / per / 1e9, 3)}
            yield {"case": "size", "who": table, **figures, "of_that_indexes": round(indexes / per / 1e9, 3)}


def voting(processes: int) -> Row:
    with Voters(rate=UNBOUNDED, processes=processes) as voters:
        time.sleep(WINDOW_S)  # the time that is measured
    return {"case": f"votes by {processes} processes", "who": "lehia", **told(voters)}


def told(voters: Voters) -> Row:
    return {
        "votes": voters.cast,
        "votes_per_s": round(voters.votes_per_s),
        "cpu_ms_a_vote": round(1000 * voters.cpu_s / max(1, voters.cast), 1),
        "refused": voters.refused,
        "longest_ms": round(voters.longest_ms),
    }


def backup_and_restore(folder: Path) -> Iterator[Row]:
    from django.core.management import call_command
    from django.db import connection

    from arena.database import elsewhere
    from arena.services.backups import back_up

    began = time.perf_counter()
    with Voters(rate=MIGRATED_AT, processes=1) as voters:
        made = back_up(folder / "backups")
        seconds = time.perf_counter() - began
    size = sum(part.size_bytes for part in made.manifest.parts)
    yield {
        "case": "backup",
        "who": "lehia",
        "seconds": round(seconds, 1),
        "gb": round(size / 1e9, 3),
        **told(voters),
    }
    connection.close()
    with elsewhere.server() as server:
        server.execute("DROP DATABASE IF EXISTS restored WITH (FORCE)")
        server.execute("CREATE DATABASE restored TEMPLATE template0")
    began = time.perf_counter()
    with elsewhere.database("restored"), (folder / "restored.json").open("w") as out:
        call_command("restore", made.folder, stdout=out)
    yield {"case": "restore", "who": "lehia", "seconds": round(time.perf_counter() - began, 1)}
    with elsewhere.server() as server:
        server.execute("DROP DATABASE restored")


def migrating(count: int) -> Iterator[Row]:
    """Each of the last migrations undone, then done again, while votes are cast by this code; none that were acknowledged may be missing."""
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader

    from arena.models import Vote

    with Voters(rate=MIGRATED_AT, processes=2) as quiet:
        time.sleep(WINDOW_S)  # the time that is measured
    yield {"case": "no migration", "who": "lehia", **told(quiet)}
    plan = MigrationLoader(connection)
    full = [key for key in plan.graph._generate_plan(plan.graph.leaf_nodes(), True) if key[0] in APPS]
    before, steps = Vote.objects.count(), []
    with Voters(rate=MIGRATED_AT, processes=2) as voters:
        for app, name in reversed(full[-count:]):
            below = [key for key in plan.graph.node_map[app, name].parents if key.key[0] == app]
            steps.append((f"back {app} {name}", [app, below[0].key[1] if below else "zero"]))
        steps += [(f"forward {app} {name}", [app, name]) for app, name in full[-count:]]
        took = []
        for label, argv in steps:
            began = time.perf_counter()
            call_command("migrate", *argv, verbosity=0)
            took.append((label, time.perf_counter() - began))
    for label, seconds in took:
        yield {"case": label, "who": "lehia", "seconds": round(seconds, 2)}
    lost = voters.cast - (Vote.objects.count() - before)
    yield {"case": f"{len(steps)} steps", "who": "lehia", **told(voters), "lost": lost}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.operations", description=__doc__)
    parser.add_argument("--votes", type=int, default=100_000)
    parser.add_argument("--migrations", type=int, default=5, metavar="N", help="how many of the last ones")
    parser.add_argument("--cases", nargs="*", choices=["size", "votes", "migrations", "backup"])
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where the filled database stays")
    options = parser.parse_args(argv)
    rows = []
    with own_database(options.keep) as folder:
        prepared(options.votes, folder)
        cases: dict[str, Callable[[], Iterable[Row]]] = {
            "size": sizes,
            "votes": lambda: map(voting, (1, 2)),
            "migrations": lambda: migrating(options.migrations),
            "backup": lambda: backup_and_restore(folder),
        }
        for row in chain.from_iterable(cases[name]() for name in options.cases or cases):
            figures = " ".join(f"{key} {value}" for key, value in row.items() if key not in {"case", "who"})
            print(f"{row['case']:<52}{row['who']:<20}{figures}", flush=True)
            rows.append(row)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(json.dumps({"bench": "operations", "machine": machine, "votes": options.votes, "rows": rows}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
