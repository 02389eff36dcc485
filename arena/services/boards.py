"""Publishing boards with their reports, and rebuilding a tally from the votes that it must equal."""

from __future__ import annotations

import logging

from django.db import connection, transaction

from arena.models import Vote
from arena.numbers import planner
from arena.numbers.material import Counts, Votes, material_of
from arena.numbers.parts import Part, parts_of
from arena.selectors.judgements import judgements_of, tally_entries
from arena.selectors.snapshots import latest_snapshot, report_on
from arena.services.languages import measure_languages
from arena.services.reviews import review
from ranking.errors import RankingError
from ranking.filters import FilterSet
from ranking.models import Board, Snapshot
from ranking.numbers import Numbers
from ranking.selectors import board_tally, criteria_of, load_tally
from ranking.services import Cut, TallyEntry, publish_counts, publish_snapshot, store_report
from ranking.services.snapshots import tally_checksum
from ranking.services.tallies import overwrite_tally
from ranking.tally import Tally
from ranking.types import BoardKind, Criterion, TieRule

logger = logging.getLogger(__name__)

_FEWEST_MODELS = 2  # of which something can be planned before the first vote
_NOT_COMPUTED = (RankingError, ArithmeticError, ValueError, LookupError)


def publish_moved() -> int:
    """Publish each criterion of each board that is due. Returns how many snapshots were made."""
    return sum(len(publish(board)) for board in Board.objects.order_by("pk"))


def publish(board: Board) -> list[Snapshot]:
    """Review the votes of a board that is due, then publish what is due of it, from those that count at this moment, with the numbers of its reports.

    The review comes first, so that no snapshot holds votes against which the evidence is overwhelming, and so do texts whose language nobody measured yet.
    Publication is one transaction, which waits for another of the same board but holds up no vote: nobody sees a board without its reports.
    """
    if not _due(board):
        return []
    if board.kind == BoardKind.LIVE.value:
        review(board)
        measure_languages()
    with transaction.atomic():
        Board.objects.select_for_update(no_key=True).get(pk=board.pk)
        due = _due(board)
        if not due:
            return []
        material = material_of(board)
        made = [_snapshot(material, criterion) for criterion in due]
        for snapshot in made:
            for part in parts_of(board, Criterion(snapshot.criterion)):
                _store(snapshot, part, material)
    return made


def _due(board: Board) -> list[Criterion]:
    return [criterion for criterion in criteria_of(board) if _is_due(board, criterion)]


def _is_due(board: Board, criterion: Criterion) -> bool:
    """Whether the counts are others than those of the last snapshot, or a report is not there.

    A board without votes is published, so that it can be planned, once it has models, and again when more of them wait.
    """
    tally = board_tally(board=board, criterion=criterion)
    last = latest_snapshot(board=board, criterion=criterion, ties=TieRule.HALF)
    if last is None:
        return tally.n_votes > 0 or len(tally.models) >= _FEWEST_MODELS
    if tally_checksum(tally) != last.tally_checksum or _lacks_a_report(last, board, criterion):
        return True
    return not tally.n_votes and _lacks_a_model(last, tally)


def _lacks_a_report(last: Snapshot, board: Board, criterion: Criterion) -> bool:
    wanted = {(part.report, part.name) for part in parts_of(board, criterion)}
    return not wanted <= set(last.reports.values_list("report", "part"))


def _lacks_a_model(last: Snapshot, tally: Tally) -> bool:
    stored = report_on(last, report=planner.REPORT)
    payload = stored.payload if stored else None
    return payload is not None and planner.lacks(Numbers.from_json(payload), tally.models)


def _snapshot(material: Counts, criterion: Criterion) -> Snapshot:
    board, at = material.board, material.read_at
    if not isinstance(material, Votes):
        return publish_counts(board=board, criterion=criterion, tally=material.tallies[criterion], at=at)
    cut = Cut(
        ballots=material.ballots(criterion),
        n_excluded=material.left.n_excluded,
        filters=str(FilterSet.strictest()),
        at=at,
    )
    return publish_snapshot(board=board, criterion=criterion, cut=cut)


def _store(snapshot: Snapshot, part: Part, material: Counts) -> None:
    """What cannot be computed is stored as that, so that the board is published all the same and nothing is tried again for the same votes."""
    try:
        numbers, failure = part.compute(material, Criterion(snapshot.criterion)), ""
    except _NOT_COMPUTED as error:
        logger.exception("report %s %s of snapshot %s was not computed", part.report, part.name, snapshot.pk)
        numbers, failure = None, type(error).__name__
    store_report(snapshot=snapshot, report=part.report, part=part.name, numbers=numbers, failure=failure)


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
