"""``python -m benchmarks.ranking``: how long a board takes from its tally, and from raw votes beside the peers. Tables, then one line of JSON.

The votes are simulated with a fixed seed, but for the published ones. From a tally each figure is the median of its runs; from raw votes the best, in a
process of its own. One thread throughout; reading files is left out. Peers run where ``make bench`` put them, and are left out where it did not.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

# Before numpy loads its linear algebra: on shared cores several threads are slower than one.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from ranking import reference
from ranking.board import build_board
from ranking.fit import fit_bradley_terry
from ranking.readers import read_tally
from ranking.tally import Tally
from ranking.uncertainty import sandwich_covariance

ROOT = Path(__file__).resolve().parent.parent
PEERS = ("arena-rank", "fastchat", "scikit-learn", "evalica", "choix")
WITH_INTERVALS = {"lehia", "arena-rank", "fastchat"}


@dataclass(frozen=True, slots=True)
class Row:
    case: str
    who: str
    models: int
    votes: int
    runs: int
    fit_ms: float
    fit_and_sandwich_ms: float
    board_ms: float


def simulated(m: int, votes: int, *, seed: int = 1) -> Tally:
    """Some *votes* over all pairs of *m* models whose strengths spread over two nats, a fifth of them ties."""
    rng = np.random.default_rng(seed)
    strengths = rng.normal(0, 0.5, m)
    p = 1 / (1 + np.exp(strengths[None, :] - strengths[:, None]))
    per_pair = max(1, round(votes / (m * (m - 1) / 2)))
    counts = np.zeros((m, m, 4), dtype=np.int64)
    for i in range(m - 1):
        even = 0.4 * np.minimum(p[i, i + 1 :], p[i + 1 :, i])
        shares = np.stack([p[i, i + 1 :] - even / 2, 1 - p[i, i + 1 :] - even / 2, even], axis=1)
        counts[i, i + 1 :, :3] = rng.multinomial(per_pair, shares)
    return Tally(tuple(f"m{index:03}" for index in range(m)), counts)


@dataclass(frozen=True, slots=True)
class RawRow:
    """Raw votes to a board with intervals; *best_ms* leaves warm-up out, *first_ms* does not."""

    case: str
    who: str
    models: int
    votes: int
    intervals: bool
    best_ms: float
    first_ms: float
    input_mb: int
    peak_mb: int


def raw_votes(tally: Tally, *, seed: int = 2) -> dict[str, np.ndarray]:
    """The tally's votes one by one, in random order: arrays ``a``, ``b``, ``outcome`` (0 A, 1 B, 2 tie) and the number of models."""
    counts = tally.counts.copy()
    counts[:, :, 2] += counts[:, :, 3]
    a, b, outcome = np.nonzero(counts[:, :, :3])
    order = np.random.default_rng(seed).permutation(tally.n_votes)
    times = counts[a, b, outcome]
    columns = {"a": a, "b": b, "outcome": outcome}
    votes = {name: np.repeat(column.astype(np.int32), times)[order] for name, column in columns.items()}
    return votes | {"m": np.array(len(tally.models))}


def from_raw(cases: dict[str, Tally], *, peers: Path, quick: bool) -> list[RawRow]:
    """Every way that is at hand on every case that it can take in reasonable time."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for case, tally in cases.items():
            path = Path(folder) / "votes.npz"
            votes = raw_votes(tally)
            np.savez(path, a=votes["a"], b=votes["b"], outcome=votes["outcome"], m=votes["m"])
            for who, python in [("lehia", Path(sys.executable)), *((each, peers) for each in PEERS)]:
                too_long = who == "choix" and tally.n_votes > 100_000
                if python.exists() and not too_long and not (quick and tally.n_votes > 100_000):
                    rows.append(_timed(case, who, tally, python, path))
    return rows


def _timed(case: str, who: str, tally: Tally, python: Path, path: Path) -> RawRow:
    runs = "3" if who == "lehia" or tally.n_votes <= 100_000 else "2"
    done = subprocess.run(
        [str(python), "-m", "benchmarks.ranking_worker", who, str(path), runs],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    figures = json.loads(done.stdout.splitlines()[-1])
    return RawRow(case, who, len(tally.models), tally.n_votes, who in WITH_INTERVALS, **figures)


def median_ms(work: Callable[[], object], runs: int) -> float:
    work()
    taken = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - began))
    return round(statistics.median(taken), 3)


def measured(case: str, tally: Tally, runs: int) -> Row:
    def fit_and_sandwich() -> None:
        sandwich_covariance(tally, fit_bradley_terry(tally))

    return Row(
        case=case,
        who="lehia",
        models=len(tally.models),
        votes=tally.n_votes,
        runs=runs,
        fit_ms=median_ms(lambda: fit_bradley_terry(tally), runs),
        fit_and_sandwich_ms=median_ms(fit_and_sandwich, runs),
        board_ms=median_ms(lambda: build_board(tally), runs),
    )


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ranking", description=__doc__)
    parser.add_argument("--runs", type=int, default=25, help="runs of each figure, 25 if left out")
    parser.add_argument(
        "--peers", type=Path, default=ROOT / ".venv-peers" / "bin" / "python", help="the peers' Python"
    )
    parser.add_argument("--quick", action="store_true", help="raw votes only of the published board")
    options = parser.parse_args(argv)
    runs: int = options.runs
    cases = {
        "published": read_tally(reference.pairs_path()),
        "1 M votes": simulated(100, 1_000_000),
        "10 M votes": simulated(300, 10_000_000),
    }
    rows = [measured(case, tally, runs) for case, tally in cases.items()]
    print(
        f"{'case':<12} {'models':>6} {'votes':>10} {'fit':>9} {'+ sandwich':>11} {'board':>9}   (median ms)"
    )
    for row in rows:
        print(
            f"{row.case:<12} {row.models:>6} {row.votes:>10} {row.fit_ms:>9.2f} "
            f"{row.fit_and_sandwich_ms:>11.2f} {row.board_ms:>9.2f}"
        )
    raw = from_raw(cases, peers=options.peers, quick=options.quick)
    print(
        f"\n{'raw votes':<12} {'who':<13} {'intervals':<9} {'best':>11} {'first':>11} {'peak':>8}   (ms, MB)"
    )
    for each in raw:
        print(
            f"{each.case:<12} {each.who:<13} {'yes' if each.intervals else 'no':<9} "
            f"{each.best_ms:>11.1f} {each.first_ms:>11.1f} {each.peak_mb:>8}"
        )
    machine = {"python": platform.python_version(), "cpus": os.cpu_count(), "machine": platform.machine()}
    print(
        json.dumps({"bench": "ranking", "machine": machine, "rows": [*map(asdict, rows), *map(asdict, raw)]})
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
