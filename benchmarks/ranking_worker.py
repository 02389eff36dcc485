"""``python -m benchmarks.ranking_worker WHO FILE``: one ranking of raw votes by one way, timed in a process of its own. Prints one JSON object.

Peers run in a virtual environment of theirs, so each is imported where it is used. FILE holds arrays ``a``, ``b`` (model numbers) and ``outcome``
(0 A, 1 B, 2 tie), in memory before the clock starts.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

# Before numpy loads its linear algebra: on shared cores several threads are slower than one.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int32]
Way = Callable[[Numbers, Numbers, Numbers, int], Callable[[], object]]

BOOTSTRAPS = 100


def lehia(a: Numbers, b: Numbers, outcome: Numbers, m: int) -> Callable[[], object]:
    """Raw votes to a board with sandwich intervals, rank intervals and tiers."""
    from ranking.ballots import NOBODY, Ballots
    from ranking.board import build_board

    names = tuple(f"m{place}" for place in range(m))
    nobody = np.full(len(a), NOBODY, dtype=np.int32)
    return lambda: build_board(Ballots(names, a, b, outcome, nobody).tally())


def arena_rank(a: Numbers, b: Numbers, outcome: Numbers, m: int) -> Callable[[], object]:
    """LMArena's package, from a data frame to ratings with sandwich intervals."""
    import pandas as pd
    from arena_rank.models.bradley_terry import BradleyTerry
    from arena_rank.utils.data_utils import PairDataset

    names = np.array([f"m{place}" for place in range(m)])
    words = np.array(["model_a", "model_b", "tie"])
    frame = pd.DataFrame({"model_a": names[a], "model_b": names[b], "winner": words[outcome]})
    return lambda: BradleyTerry(m).compute_ratings_and_cis(PairDataset.from_pandas(frame))


def fastchat(a: Numbers, b: Numbers, outcome: Numbers, m: int) -> Callable[[], object]:
    """The way of FastChat's leaderboard, from its formulas: distinct rows with counts, a likelihood by L-BFGS, 100 multinomial bootstraps of it."""
    from scipy.optimize import minimize
    from scipy.special import expit

    def work() -> object:
        rows, counts = np.unique(np.stack([a, b, outcome], axis=1), axis=0, return_counts=True)
        one, other, won = rows[:, 0], rows[:, 1], np.array([1.0, 0.0, 0.5])[rows[:, 2]]

        def fit(weights: NDArray[np.float64]) -> NDArray[np.float64]:
            def loss(ratings: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
                gap = ratings[one] - ratings[other]
                value = -(weights * (won * gap - np.logaddexp(0, gap))).sum()
                slope = -weights * (won - expit(gap))
                gradient = np.bincount(one, slope, m).astype(np.float64) - np.bincount(other, slope, m)
                return float(value), gradient

            return np.asarray(minimize(loss, np.zeros(m), jac=True, method="L-BFGS-B").x)

        rng = np.random.default_rng(0)
        drawn = rng.multinomial(counts.sum(), counts / counts.sum(), size=BOOTSTRAPS).astype(np.float64)
        spread = np.array([fit(each) for each in drawn])
        return fit(counts.astype(np.float64)), np.quantile(spread, [0.025, 0.975], axis=0)

    return work


def scikit_learn(a: Numbers, b: Numbers, outcome: Numbers, m: int) -> Callable[[], object]:
    """One logistic regression on a sparse design of distinct rows, a tie as a won and a lost half; no intervals."""
    from scipy.sparse import csr_array
    from sklearn.linear_model import LogisticRegression

    def work() -> object:
        rows, counts = np.unique(np.stack([a, b, outcome], axis=1), axis=0, return_counts=True)
        both = np.repeat(np.arange(len(rows)), 2)
        sign = np.tile([1.0, -1.0], len(rows))
        design = csr_array((sign, (both, rows[:, :2].ravel())), shape=(len(rows), m))
        won = np.array([1.0, 0.0, 0.5])[rows[:, 2]]
        twice = csr_array(np.concatenate([design.toarray(), design.toarray()]))
        target = np.repeat([1, 0], len(rows))
        weight = np.concatenate([counts * won, counts * (1 - won)])
        model = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-9, max_iter=1000)
        return model.fit(twice, target, sample_weight=weight).coef_

    return work


def evalica(a: Numbers, b: Numbers, outcome: Numbers, m: int) -> Callable[[], object]:
    """Its Bradley-Terry on distinct rows with weights; no intervals."""
    import evalica as package

    winners = (package.Winner.X, package.Winner.Y, package.Winner.Draw)

    def work() -> object:
        rows, counts = np.unique(np.stack([a, b, outcome], axis=1), axis=0, return_counts=True)
        xs, ys = rows[:, 0].tolist(), rows[:, 1].tolist()
        return package.bradley_terry(xs, ys, [winners[each] for each in rows[:, 2]], weights=counts.tolist())

    return work


def choix(a: Numbers, b: Numbers, outcome: Numbers, m: int) -> Callable[[], object]:
    """``opt_pairwise`` on lists of votes, a tie as a won and a lost vote beside twice each decisive one; no intervals."""
    import choix as package

    won = outcome != 1
    wins = np.stack([np.where(won, a, b), np.where(won, b, a)], axis=1)
    tied = outcome == 2
    votes = np.concatenate([wins, np.where(tied[:, None], wins[:, ::-1], wins)])
    listed = [tuple(pair) for pair in votes.tolist()]
    return lambda: package.opt_pairwise(m, listed)


WAYS: dict[str, Way] = {
    "lehia": lehia,
    "arena-rank": arena_rank,
    "fastchat": fastchat,
    "scikit-learn": scikit_learn,
    "evalica": evalica,
    "choix": choix,
}


def main(argv: list[str]) -> int:
    who, path, runs = argv[0], Path(argv[1]), int(argv[2])
    with np.load(path) as held:
        a, b, outcome, m = held["a"], held["b"], held["outcome"], int(held["m"])
    before_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    work = WAYS[who](a, b, outcome, m)
    taken = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - began))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {"best_ms": round(min(taken), 2), "first_ms": round(taken[0], 2)}
    print(json.dumps(figures | {"input_mb": round(before_mb), "peak_mb": round(peak_mb)}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
