"""Writes of tallies and snapshots."""

from ranking.services.snapshots import Cut, publish_snapshot
from ranking.services.tallies import TallyEntry, record, replace_tally

__all__ = ["Cut", "TallyEntry", "publish_snapshot", "record", "replace_tally"]
