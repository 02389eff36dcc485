"""Publishing boards."""

from __future__ import annotations

from ranking.board import build_board
from ranking.models import Board, Snapshot
from ranking.selectors import criteria_of, load_tally


def publish_snapshot(*, board: Board) -> list[Snapshot]:
    """Publish each criterion whose tally moved since its last snapshot; those that did not are left out."""
    made = []
    for criterion in criteria_of(board):
        result = build_board(load_tally(board_id=board.pk, criterion=criterion), criterion=criterion)
        last = Snapshot.objects.filter(board=board, criterion=criterion.value).order_by("-created_at").first()
        if result.n_votes == (last.n_votes if last else 0):
            continue
        made.append(
            Snapshot.objects.create(
                board=board, criterion=criterion.value, n_votes=result.n_votes, payload=result.as_json()
            )
        )
    return made
