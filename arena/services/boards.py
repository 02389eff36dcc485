"""Publishing boards, and rebuilding a tally from the votes that it must equal."""

from __future__ import annotations

from arena.models import Vote
from arena.services.votes import judgements_of, tally_entries
from ranking.models import Board
from ranking.services import TallyEntry, publish_snapshot, replace_tally
from ranking.types import BoardKind


def publish_moved() -> int:
    """Publish each live board that moved since its last snapshot. Returns how many snapshots were made."""
    boards = Board.objects.filter(kind=BoardKind.LIVE.value)
    return sum(len(publish_snapshot(board=board)) for board in boards)


def counted_entries(board: Board) -> list[TallyEntry]:
    """The tally entries of every counted vote of the board's campaign."""
    votes = (
        Vote.objects.filter(battle__campaign__board=board, counted=True)
        .select_related("battle__candidate_a", "battle__candidate_b")
        .prefetch_related("judgements")
    )
    return [
        entry
        for vote in votes.iterator(chunk_size=2000)
        for entry in tally_entries(vote.battle, judgements_of(vote))
    ]
