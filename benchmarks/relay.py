"""``python -m benchmarks.relay``: what the site adds to a token's way and what that costs, beside a bare relay, the SDK's objects and Gradio.

A fake model server sends 50 tokens a second a stream; a battle is two streams and one volunteer. Every server runs in one process on one core where there are two
or more; load, model server and database have the others. CPU is all of the server's process: battles begin and end within the window. The capacity is the
largest number of battles whose added time stays within 250 ms for 99 of 100 tokens. A table, then one line of JSON. The machine's other work shows in
milliseconds; microseconds of CPU and ratios of one run stand it better. ``disturbed``: others took more than a tenth of the server's cores. ``at_least``:
what came after the capacity failed while disturbed, or while the load generator had no room left.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.embedded.ports import free_port
from benchmarks.relay_processes import children_on, wait_until_idle
from benchmarks.relay_search import capacity
from benchmarks.relay_site import Started, services, set_display, site, started

ROOT = Path(__file__).resolve().parent.parent
MOST_ADDED_MS = 250
LEAST_DELIVERED = 0.9
"""Of the tokens that all streams would send if no battle ever ended: what is lost between two battles is far less."""
MOST_DISTURBED = 0.1
"""Of the server's cores, taken by others: more, and its capacity is not what was measured."""
BUSY_CORE = 0.85
LATE_LOOP_MS = 50
Row = dict[str, Any]
COLUMNS = {
    "who": ("who", 16),
    "battles": ("battles", 8),
    "added_p50_ms": ("added p50", 10),
    "added_p99_ms": ("p99 ms", 9),
    "first_token_p50_ms": ("first p50", 10),
    "first_token_p99_ms": ("p99 ms", 9),
    "cpu_us_per_token": ("us/token", 9),
    "cpu_share": ("core", 6),
    "peak_mb": ("MB", 6),
    "delivered": ("shown", 6),
    "failures": ("failed", 7),
    "others_share": ("others", 7),
    "load_lag_p99_ms": ("load lag", 9),
    "load_cpu_share": ("its core", 9),
}


@dataclass(frozen=True, slots=True)
class Bench:
    """One run of the benchmark."""

    folder: Path
    fake: Started
    seconds: float
    tokens: int
    cores: list[int]
    peers: Path

    @property
    def upstream(self) -> str:
        return f"{self.fake.url}/v1"

    @property
    def times(self) -> Path:
        return self.folder / "times"

    def server_cores(self, workers: int = 1) -> set[int]:
        return set(self.cores[:workers])

    def load_cores(self, workers: int = 1) -> set[int]:
        """What the servers leave; where they leave nothing, everybody shares."""
        return set(self.cores[workers:] or self.cores)

    def row(self, server: Started, battles: int, *, display: str = "unpaced", workers: int = 1) -> Row:
        """The figures of one load, printed as soon as they are there."""
        asked = {
            **{"who": server.who, "url": server.url, "fake": self.fake.url, "times": self.times},
            **{"pid": server.pid, "battles": battles, "seconds": self.seconds, "tokens": self.tokens},
        }
        flags = [part for name, value in asked.items() for part in (f"--{name}", str(value))]
        flags += ["--cores", *map(str, self.server_cores(workers))]
        wait_until_idle(server.pid)
        with children_on(self.load_cores(workers)):
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.relay_load", *flags],
                stdout=subprocess.PIPE,
                check=True,
                cwd=ROOT,
            )
        found = json.loads(done.stdout)
        about = {"case": f"{battles} battles", "who": server.who, "battles": battles}
        about |= {"display": display, "workers": workers}
        disturbed = found["others_share"] > MOST_DISTURBED and len(self.cores) > workers
        row = {**about, **found, "load_bound": load_bound(found), "disturbed": disturbed}
        _show(row)
        return row


def load_bound(found: Row) -> bool:
    """Whether the load generator had no room left, so that the figures are its own as much as the server's."""
    late = found["load_lag_p99_ms"]
    return bool(found["load_cpu_share"] > BUSY_CORE or late is None or late > LATE_LOOP_MS)


def holds(row: Row) -> bool:
    """Whether the server carried this load."""
    late = row["added_p99_ms"]
    in_time = late is not None and late <= MOST_ADDED_MS
    return in_time and row["delivered"] >= LEAST_DELIVERED and not row["failures"]


def measured(
    bench: Bench, server: Started, battles: list[int], *, most: int, workers: int = 1
) -> Iterator[Row]:
    """A row a number of battles; then, with *most*, the capacity, searched from the largest of these that was carried."""
    rows: dict[int, Row] = {}

    def carries(asked: int) -> bool:
        if asked not in rows:
            rows[asked] = bench.row(server, asked, workers=workers)
        return holds(rows[asked])

    carried = [each for each in battles if carries(each)]
    if not most:
        yield from rows.values()
        return
    found, ended = capacity(carries, begin=max(carried, default=min(battles)), most=most)
    yield from rows.values()
    bound = any(row["load_bound"] or row["disturbed"] for each, row in rows.items() if each > found)
    about = {
        "case": "capacity",
        "who": server.who,
        "battles": found,
        "display": "unpaced",
        "workers": workers,
    }
    yield about | {"at_least": bound or not ended}


def servers(bench: Bench) -> Iterator[AbstractContextManager[Started]]:
    """All that relay, the site first; each is started where its block begins."""
    yield site(bench.folder, workers=1, cores=bench.server_cores())
    for way in ("bare", "openai"):
        yield _relay(bench, way, sys.executable, "benchmarks.relay_bare", way)
    for way in ("gradio", "gradio-tuned") if bench.peers.exists() else ():
        yield _relay(bench, way, str(bench.peers), "benchmarks.relay_gradio", way)


@contextmanager
def _relay(bench: Bench, who: str, python: str, *module: str) -> Iterator[Started]:
    port = free_port()
    argv = [python, "-m", *module, "--port", str(port), "--upstream", bench.upstream]
    log = bench.folder / "logs" / f"{who}.log"
    with started(who, argv, port=port, cores=bench.server_cores(), log=log) as found:
        yield found


def all_rows(bench: Bench, battles: list[int], *, most: int) -> Iterator[Row]:
    """Everything in one run, one server at a time."""
    set_display(paced=False)
    for start in servers(bench):
        with start as server:
            yield from measured(bench, server, battles, most=most)
            if server.who == "lehia":
                set_display(paced=True)
                yield bench.row(server, battles[len(battles) // 2], display="paced")
                set_display(paced=False)
    if most:
        with site(bench.folder, workers=2, cores=bench.server_cores(2)) as server:
            yield from measured(bench, server, battles[-1:], most=most, workers=2)


def ratios(rows: list[Row]) -> Iterator[Row]:
    """Capacities of this run, each as so many times another's."""
    found = {(row["who"], row.get("workers")): row for row in rows if row["case"] == "capacity"}
    ours = found.get(("lehia", 1))
    for who in ("gradio", "gradio-tuned", "openai", "bare"):
        other = found.get((who, 1))
        if ours and other and other["battles"]:
            times = round(ours["battles"] / other["battles"], 2)
            yield {
                "case": f"capacity over {who}'s",
                "who": "lehia",
                "times": times,
                "at_least": ours["at_least"],
            }
    two = found.get(("lehia", 2))
    if ours and two and ours["battles"]:
        times = round(two["battles"] / ours["battles"], 2)
        yield {"case": "two workers over one", "who": "lehia", "times": times, "at_least": two["at_least"]}


def _show(row: Row) -> None:
    shown = row | {"who": f"{row['who']} {'paced' if row['display'] == 'paced' else ''}".strip()}
    if row["workers"] > 1:
        shown["who"] = f"{row['who']} x {row['workers']}"
    cells = [
        f"{'-' if shown[name] is None else shown[name]:>{width}}" for name, (_, width) in COLUMNS.items()
    ]
    marks = [word for word, name in (("load bound", "load_bound"), ("disturbed", "disturbed")) if row[name]]
    print("".join(cells), "", *marks, flush=True)


@contextmanager
def benched(options: argparse.Namespace) -> Iterator[Bench]:
    """Everything that the servers need, in a folder of its own."""
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="lehia-r-") as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o711)
        (folder / "logs").mkdir()
        port, others = free_port(), set(cores[1:] or cores)
        argv = [sys.executable, "-m", "benchmarks.relay_server", "--port", str(port)]
        argv += ["--times", str(folder / "times"), "--tokens", str(options.tokens)]
        log = folder / "logs" / "fake.log"
        fake = stack.enter_context(started("the model server", argv, port=port, cores=others, log=log))
        stack.enter_context(
            services(folder, upstream=f"{fake.url}/v1", cores=others, durable=not options.quick)
        )
        yield Bench(folder, fake, options.seconds, options.tokens, cores, options.peers)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.relay", description=__doc__)
    parser.add_argument("--battles", type=int, nargs="+", default=[1, 25, 60, 100])
    parser.add_argument("--seconds", type=float, default=8, help="of each window that is measured")
    parser.add_argument("--tokens", type=int, default=400, help="tokens of an answer")
    parser.add_argument("--most", type=int, default=800, help="most battles in the search, 0 for none")
    parser.add_argument(
        "--peers", type=Path, default=ROOT / ".venv-peers" / "bin" / "python", help="the peers' Python"
    )
    parser.add_argument("--quick", action="store_true", help="only see whether it runs")
    options = parser.parse_args(argv)
    if options.quick:
        options.battles, options.seconds, options.tokens, options.most = [2], 1.0, 40, 0
    print("".join(f"{title:>{width}}" for title, width in COLUMNS.values()))
    with benched(options) as bench:
        rows = list(all_rows(bench, options.battles, most=options.most))
    rows += ratios(rows)
    for row in rows:
        if "times" in row or row["case"] == "capacity":
            print(*(f"{key} {value}" for key, value in row.items()), sep=", ")
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(
        json.dumps({"bench": "relay", "machine": machine, "shared_core": len(bench.cores) < 2, "rows": rows})
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
