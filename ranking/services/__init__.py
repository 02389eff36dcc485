"""Writes of tallies, snapshots and benchmark scores."""

from ranking.services.benchmarks import Stored, store_scores
from ranking.services.snapshots import Cut, publish_counts, publish_snapshot, store_report
from ranking.services.tallies import TallyEntry, record, replace_tally

__all__ = [
    "Cut",
    "Stored",
    "TallyEntry",
    "publish_counts",
    "publish_snapshot",
    "record",
    "replace_tally",
    "store_report",
    "store_scores",
]
