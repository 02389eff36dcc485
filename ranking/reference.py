"""The published board of 2025, carried as data: see ``ranking/data/README.md``."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

BOARD_SLUG = "ebaluatoia-2025"
BOARD_NAME = "Ebaluatoia 2025"

_DATA = Path(__file__).resolve().parent / "data"


@dataclass(frozen=True, slots=True)
class Published:
    """A published row: ratings by criterion (400 / ln 10 a nat, centre 1000), rounded to points."""

    model: str
    rank: int
    overall: float
    content: float
    language: float


def pairs_path() -> Path:
    """The pair counts of the board: 12,890 votes, 21 models, columns ``model_a,model_b,n,a_wins,b_wins,ties``."""
    return _DATA / "ebaluatoia_2025_pairs.csv"


def published_ratings() -> tuple[Published, ...]:
    """The 21 published rows, best first."""
    with (_DATA / "ebaluatoia_2025_published.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Published(
                model=row["model"],
                rank=int(row["rank"]),
                overall=float(row["overall"]),
                content=float(row["content"]),
                language=float(row["language"]),
            )
            for row in csv.DictReader(file)
        )
