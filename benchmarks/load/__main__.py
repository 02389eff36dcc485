"""``python -m benchmarks.load [CASE...]``: the site under load. A table, then one line of JSON; 1 if a limit was not kept.

Site, database, Valkey, model server and the load itself share the machine's cores. Figures are of this machine
and of what else it does.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import os
import platform
import subprocess
import sys
import time

from benchmarks.load.cases import CASES, Case, Row, Size
from benchmarks.load.stack import stack

QUICK = Size(
    connected=12, battles=2, seconds=4, votes_a_second=5, voting_s=2, half_open=5, posts=1, enduring_s=6
)


def measured(name: str, size: Size) -> Case:
    """The case on a stack of its own; once a process, as Django is set up for its database."""
    with stack() as running:
        began = time.monotonic()
        case = asyncio.run(CASES[name](running, size))
        case.row["took_s"] = round(time.monotonic() - began, 1)
        return case


def one(name: str, size: Size, *, quick: bool) -> Row:
    """The case's figures, printed, with what was not kept."""
    case = measured(name, size)
    for key, value in case.row.items():
        print(f"{name:<12}{key:<24}{value}", flush=True)
    return case.row | {"who": "lehia", "broken": [] if quick else case.broken()}


def apart(name: str, argv: list[str]) -> Row:
    """The case in a process of its own; what it prints is seen at once."""
    command = [sys.executable, "-m", "benchmarks.load", name, *argv]
    last = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            print(last, end="", flush=True)
            last = line
    if child.returncode not in {0, 1} or not last.startswith("{"):
        raise SystemExit(f"{name} ended with status {child.returncode}")
    row: Row = json.loads(last)["rows"][0]
    return row


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}; else all")
    parser.add_argument("--quick", action="store_true", help="only see whether it runs, without limits")
    for field in dataclasses.fields(Size):
        flag = f"--{field.name.replace('_', '-')}"
        parser.add_argument(flag, type=type(field.default), default=None)
    given = sys.argv[1:] if argv is None else argv
    options = parser.parse_args(given)
    if unknown := set(options.cases) - set(CASES):
        parser.error(f"no case is called {', '.join(sorted(unknown))}")
    asked = {each.name: getattr(options, each.name) for each in dataclasses.fields(Size)}
    size = QUICK if options.quick else Size()
    size = dataclasses.replace(size, **{name: value for name, value in asked.items() if value is not None})
    names = options.cases or list(CASES)
    if len(names) == 1:
        rows = [one(names[0], size, quick=options.quick)]
    else:
        flags = [each for each in given if each not in names]
        rows = [apart(name, flags) for name in names]
    for row in rows:
        print(*(f"{row['case']}: {each}\n" for each in row["broken"]), sep="", end="")
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(json.dumps({"bench": "load", "machine": machine, "rows": rows}))
    return 1 if any(row["broken"] for row in rows) else 0


if __name__ == "__main__":
    raise SystemExit(main())
