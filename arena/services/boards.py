"""Publishing boards, and rebuilding a tally from the votes that it must equal."""

from __future__ import annotations

from django.db import connection, transaction

from arena.models import Vote
from arena.selectors.judgements import judgements_of, tally_entries
from ranking.models import Board
from ranking.selectors import load_tally
from ranking.services import TallyEntry, publish_snapshot
from ranking.services.tallies import overwrite_tally
from ranking.tally import Tally
from ranking.types import BoardKind, Criterion


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


def rebuild(*, board: Board, check: bool) -> bool:
    """Count the votes again. Returns whether the stored tally equalled them; unless *check*, it does afterwards.

    New votes wait until it is done.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {connection.ops.quote_name(Vote._meta.db_table)} IN SHARE MODE")
        entries = counted_entries(board)
        counted = {criterion: _counted(entries, criterion) for criterion in Criterion}
        equal = all(
            _same(load_tally(board_id=board.pk, criterion=criterion), tally)
            for criterion, tally in counted.items()
        )
        if not equal and not check:
            overwrite_tally(board=board, tallies=counted)
    return equal


def _counted(entries: list[TallyEntry], criterion: Criterion) -> Tally:
    return Tally.from_votes(
        (entry.model_a, entry.model_b, entry.outcome) for entry in entries if entry.criterion is criterion
    )


def _same(stored: Tally, counted: Tally) -> bool:
    models = tuple(sorted({*stored.models, *counted.models}))
    return bool(
        (Tally.empty(models).merged(stored).counts == Tally.empty(models).merged(counted).counts).all()
    )
