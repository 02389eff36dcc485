"""``python -m benchmarks.export``: a million votes of two turns into files, beside ``datasets`` writing the same rows. A table, then one line of JSON.

Each file is written by the command in a process of its own, whose peak of memory is told. Then votes are cast through the service while further files are
written, each up to its own cut-off: each must begin with the one before, hold every vote up to its cut-off, and come out the same to the byte once more
afterwards. ``--keep DIR`` keeps the filled database for the next run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.database import own_database
from benchmarks.export_voters import Voters
from benchmarks.export_votes import fill_once

Row = dict[str, Any]
CASES = (
    ("ebaluatoia", "jsonl"),
    ("ebaluatoia", "parquet"),
    ("ebaluatoia-sanitized", "jsonl.zst"),
    ("lmarena", "parquet"),
    ("judgements", "parquet"),
    ("turns", "parquet"),
)
VOTES_A_SECOND = 200
EXPORTS = 5
HIDDEN = {"case", "who", "sha256", "file"}


def peak_mb() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def written(layout: str, form: str, folder: Path, **options: str) -> Row:
    """What one export took, in a process of its own."""
    more = [f"--{name}={value}" for name, value in options.items()]
    return _apart("export_preferences", f"--layout={layout}", f"--format={form}", f"--output={folder}", *more)


def _apart(*arguments: str) -> Row:
    """The figures of a process for the arguments; the time to start Python is part of it."""
    command = [sys.executable, "-m", "benchmarks.export", "--only", *arguments]
    began = time.perf_counter()
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.splitlines()
    seconds = time.perf_counter() - began
    told: Row = {}
    for line in lines:
        told |= json.loads(line)
    return {
        "rows": told["rows"],
        "seconds": round(seconds, 1),
        "rows_per_s": round(told["rows"] / seconds),
        "peak_mb": told["peak_mb"],
        "file_mb": told["bytes"] >> 20,
        **{name: told[name] for name in ("sha256", "file") if name in told},
    }


def _only(arguments: list[str]) -> None:
    """What :func:`_apart` starts: a command of the site, or ``datasets``; the process's peak on the last line."""
    if arguments[0] == "datasets":
        print(json.dumps(by_datasets(Path(arguments[1]), Path(arguments[2]))))
    else:
        from django.core.management import execute_from_command_line

        execute_from_command_line(["manage.py", *arguments])
    print(json.dumps({"peak_mb": peak_mb()}))


def by_datasets(source: Path, folder: Path) -> Row:
    """The same rows, read from our file and written as Parquet by ``datasets``, which keeps a copy of its own on the way."""
    from datasets import Dataset

    found = Dataset.from_json(str(source), cache_dir=str(folder / "cache"))
    found.to_parquet(str(folder / "datasets.parquet"))
    return {"rows": found.num_rows, "bytes": (folder / "datasets.parquet").stat().st_size}


def measured(votes: int, folder: Path, chosen: list[str] | None) -> Iterator[Row]:
    from arena.services.exports import MARGIN, latest_cutoff

    fill_once(votes, folder)
    time.sleep(MARGIN.seconds + 1)  # until the newest votes are old enough to be in a file
    cutoff = latest_cutoff().isoformat()
    for layout, form in CASES:
        if chosen is None or f"{layout}.{form}" in chosen:
            found = written(layout, form, folder, cutoff=cutoff, excluded="keep")
            yield {"case": f"{layout}.{form}", "who": "lehia", **found}
    if chosen is None or "datasets" in chosen:
        source = str(folder / "ebaluatoia.jsonl")
        yield {
            "case": "ebaluatoia.jsonl to Parquet",
            "who": "datasets",
            **_apart("datasets", source, str(folder)),
        }
    if chosen is None or "votes" in chosen:
        yield consistent(folder)


def consistent(folder: Path) -> Row:
    """Exports while votes are cast, each with its own cut-off, and the same once more."""
    from django.utils import timezone

    from arena.services.exports import MARGIN, latest_cutoff

    files: list[tuple[str, bytes]] = []
    since = timezone.now()

    def contents(cutoff: str) -> bytes:
        return Path(
            written("turns", "jsonl", folder, cutoff=cutoff, since=since.isoformat())["file"]
        ).read_bytes()

    with Voters(rate=VOTES_A_SECOND, processes=os.cpu_count() or 1) as voters:
        time.sleep(MARGIN.seconds + 2)  # so that votes of this block lie on both sides of each cut-off
        for _ in range(EXPORTS):
            cutoff = latest_cutoff().isoformat()
            files.append((cutoff, contents(cutoff)))
    return {
        "case": "while votes are cast",
        "who": "lehia",
        "votes_per_s": round(voters.votes_per_s),
        "exports": len(files),
        "rows": files[-1][1].count(b"\n"),
        "prefixes": all(later[1].startswith(each[1]) for each, later in pairwise(files)),
        "complete": all(content.count(b"\n") == 2 * _votes(since, cutoff) for cutoff, content in files),
        "equal": all(contents(cutoff) == content for cutoff, content in files),
    }


def _votes(since: datetime, cutoff: str) -> int:
    from arena.models import Vote

    return Vote.objects.filter(created_at__gte=since, created_at__lte=datetime.fromisoformat(cutoff)).count()


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.export", description=__doc__)
    parser.add_argument("--votes", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where the filled database stays")
    parser.add_argument("--cases", nargs="*", help="some of the files alone, such as turns.parquet")
    parser.add_argument("--only", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.only:
        _only(options.only)
        return 0
    rows = []
    with own_database(options.keep) as folder:
        for row in measured(options.votes, folder, options.cases):
            shown = {key: value for key, value in row.items() if key not in HIDDEN}
            told = " ".join(f"{key} {value:>9}" for key, value in shown.items())
            print(f"{row['case']:<34}{row['who']:<10}{told}", flush=True)
            rows.append({key: value for key, value in row.items() if key != "file"})
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(json.dumps({"bench": "export", "machine": machine, "votes": options.votes, "rows": rows}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
