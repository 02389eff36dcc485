"""``python -m benchmarks.board_page``: how long a board's pages take with a million votes in the database. A table, then one line of JSON; with ``--within MS``,
1 where a page's 95th percentile was above that.

A PostgreSQL of its own in a temporary folder is filled as :mod:`benchmarks.board_votes` says. The board is published in a process of its own, as a worker
does; pages are asked in this process, without a network.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.board_votes import fill
from benchmarks.database import own_database

PUBLISH = "publish"
ASKED = {
    "filters": ("?guest=1&rate=1",),
    "slices": ("?by=week", "?by=length"),
    "planner": ("?goal=separate&model_a=m03&model_b=m04", "?goal=top_k&k=3"),
}
"""What else is asked of a page, by its name."""


def addresses() -> Iterator[str]:
    """Every page of the default board."""
    from arena.models import Campaign
    from arena.reports import registry

    board = Campaign.objects.select_related("board").get().board
    yield from ("/leaderboard/", "/leaderboard/?criterion=content", "/leaderboard/?ties=rao-kupper")
    for page in registry.offered(board):
        for asked in ("", *ASKED.get(page.slug, ())):
            yield f"/leaderboard/{board.slug}/{page.slug}/{asked}"
    yield f"/leaderboard/{board.slug}/models/m03/"


def timed(address: str, runs: int) -> dict[str, Any]:
    """Milliseconds of one page, median and 95th percentile; and of the latter what this process itself computed, which a busy machine changes least."""
    from django.test import Client

    client = Client()
    client.get(address)  # templates are compiled once a process
    taken, computed = [], []
    for _ in range(runs):
        began, worked = time.perf_counter(), time.process_time()
        answer = client.get(address)
        computed.append(1000 * (time.process_time() - worked))
        taken.append(1000 * (time.perf_counter() - began))
        if answer.status_code != 200:
            raise SystemExit(f"{address} answered {answer.status_code}")
    return {
        "median_ms": round(statistics.median(taken), 1),
        "p95_ms": round(statistics.quantiles(taken, n=20)[-1], 1),
        "p95_cpu_ms": round(statistics.quantiles(computed, n=20)[-1], 1),
    }


def publishing() -> dict[str, Any]:
    """Seconds to publish what is due, all criteria with all reports, the most memory that this process ever took, and the room that reports take."""
    from django.db import connection

    from arena.services import boards

    began, worked = time.perf_counter(), time.process_time()
    made = boards.publish_moved()
    seconds, worked = time.perf_counter() - began, time.process_time() - worked
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = int(status.partition("VmHWM:")[2].split()[0]) // 1024
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(pg_column_size(payload)) FROM ranking_snapshotreport")
        (stored,) = cursor.fetchone()
    told = {"snapshots": made, "seconds": round(seconds, 1), "cpu_s": round(worked, 1)}
    return told | {"peak_memory_mib": peak, "stored_kib": int(stored) // 1024}


def apart(argument: str) -> dict[str, Any]:
    """What this module prints for *argument* in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.board_page", argument]
    told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return dict(told)


def measured(votes: int, runs: int) -> Iterator[dict[str, Any]]:
    from django.db import connection

    fill(votes)
    yield {"case": "/leaderboard/, not published yet", "who": "lehia", **timed("/leaderboard/", runs)}
    yield {"case": "publish, first time", "who": "lehia", **apart(PUBLISH)}
    yield {"case": "publish, nothing moved", "who": "lehia", **apart(PUBLISH)}
    for address in addresses():
        yield {"case": address, "who": "lehia", **timed(address, runs)}
    connection.close()


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.board_page", description=__doc__)
    parser.add_argument("what", nargs="?", choices=[PUBLISH], help="only that, in the database named around")
    parser.add_argument("--votes", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--within", type=float, metavar="MS", help="what every page has to keep")
    options = parser.parse_args(argv)
    if options.what == PUBLISH:
        import django

        django.setup()
        print(json.dumps(publishing()))
        return 0
    rows = in_folder(options.votes, options.runs)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(json.dumps({"bench": "board_page", "machine": machine, "votes": options.votes, "rows": rows}))
    late = [row["case"] for row in rows if options.within and row.get("p95_ms", 0) > options.within]
    for page in late:
        print(f"{page} took longer than {options.within:g} ms", file=sys.stderr)
    return 1 if late else 0


def in_folder(votes: int, runs: int) -> list[dict[str, Any]]:
    """All rows, each printed as soon as it is there."""
    rows = []
    with own_database():
        for row in measured(votes, runs):
            print(f"{row['case']:<66}", *(f"{key} {row[key]:>8}" for key in [*row][2:]), flush=True)
            rows.append(row)
    return rows


if __name__ == "__main__":
    raise SystemExit(main())
