"""Publishing boards, and rebuilding a tally from the votes that it must equal."""

from __future__ import annotations

from django.db import connection, transaction
from django.utils import timezone

from arena.models import Vote
from arena.selectors.ballots import vote_table
from arena.selectors.judgements import judgements_of, tally_entries
from arena.services.reviews import review
from ranking.filters import FilterSet, apply_filters
from ranking.models import Board, Snapshot
from ranking.selectors import load_tally
from ranking.services import TallyEntry
from ranking.services.snapshots import Cut, publish_snapshot, tally_checksum
from ranking.services.tallies import overwrite_tally
from ranking.tally import Tally
from ranking.types import BoardKind, Criterion


def publish_moved() -> int:
    """Publish each criterion of each live board whose counts moved since its last snapshot. Returns how many snapshots were made."""
    boards = Board.objects.filter(kind=BoardKind.LIVE.value)
    return sum(len(publish(board)) for board in boards)


def publish(board: Board) -> list[Snapshot]:
    """Review the votes of a board that moved, then publish what moved of it, from those that count at this moment.

    The review comes first, so that no snapshot holds votes against which the evidence is overwhelming. Publication is one transaction, which waits for
    another of the same board but holds up no vote.
    """
    if any(_has_moved(board, criterion) for criterion in Criterion):
        review(board)
    with transaction.atomic():
        Board.objects.select_for_update(no_key=True).get(pk=board.pk)
        moved = [criterion for criterion in Criterion if _has_moved(board, criterion)]
        if not moved:
            return []
        table, at = vote_table(board), timezone.now()
        left = apply_filters(table.reasons, FilterSet.strictest())
        return [
            publish_snapshot(
                board=board,
                criterion=criterion,
                cut=Cut(
                    ballots=table.ballots(criterion, left.counted),
                    n_excluded=left.n_excluded,
                    filters=str(FilterSet.strictest()),
                    at=at,
                ),
            )
            for criterion in moved
        ]


def _has_moved(board: Board, criterion: Criterion) -> bool:
    """Whether the counts are others than those of the last snapshot; a board that never had a vote has not."""
    tally = load_tally(board_id=board.pk, criterion=criterion)
    last = (
        Snapshot.objects.filter(board=board, criterion=criterion.value, slice="")
        .order_by("-created_at")
        .first()
    )
    return tally_checksum(tally) != last.tally_checksum if last else tally.n_votes > 0


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
