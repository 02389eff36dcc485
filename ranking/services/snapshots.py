"""Publishing boards."""

from __future__ import annotations

from django.db import transaction

from ranking.board import build_board
from ranking.models import Board, Snapshot
from ranking.selectors import criteria_of, load_tally
from ranking.types import Criterion


def publish_snapshot(*, board: Board) -> list[Snapshot]:
    """Publish each criterion whose board moved since its last snapshot; those that did not are left out.

    One transaction, which waits for another publication of the same board but holds up no vote.
    """
    with transaction.atomic():
        Board.objects.select_for_update(no_key=True).get(pk=board.pk)
        made = [_publish(board, criterion) for criterion in criteria_of(board)]
    return [snapshot for snapshot in made if snapshot is not None]


def _publish(board: Board, criterion: Criterion) -> Snapshot | None:
    result = build_board(load_tally(board_id=board.pk, criterion=criterion), criterion=criterion)
    last = Snapshot.objects.filter(board=board, criterion=criterion.value).order_by("-created_at").first()
    payload = result.as_json()
    if payload == last.payload if last else result.n_votes == 0:
        return None
    return Snapshot.objects.create(
        board=board, criterion=criterion.value, n_votes=result.n_votes, payload=payload
    )
