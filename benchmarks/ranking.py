"""``python -m benchmarks.ranking``: how long a board takes from its tally. A table, then one line of JSON.

The tallies are simulated with a fixed seed, but for the published one. Each figure is the median of its runs on one thread; reading files is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

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
    runs: int = parser.parse_args(argv).runs
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
    machine = {"python": platform.python_version(), "cpus": os.cpu_count(), "machine": platform.machine()}
    print(json.dumps({"bench": "ranking", "machine": machine, "rows": [asdict(row) for row in rows]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
