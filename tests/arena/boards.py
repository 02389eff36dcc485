"""Boards for tests of their pages: the published one, live ones with given counts, and snapshots."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from django.utils import timezone

from arena.reports.base import Source
from arena.services import boards
from ranking import reference
from ranking.ballots import Ballots
from ranking.board import build_board
from ranking.models import Board, Snapshot
from ranking.readers import read_tally
from ranking.selectors import board_tally
from ranking.services.snapshots import Cut, publish_snapshot
from ranking.services.tallies import overwrite_tally
from ranking.tally import Tally
from ranking.types import BoardKind, Criterion, TieRule
from tests.arena.builders import make_campaign


def published_board() -> Board:
    make_campaign()
    board = Board.objects.create(
        slug=reference.BOARD_SLUG, name="Ebaluatoia 2025", kind=BoardKind.IMPORTED.value
    )
    overwrite_tally(board=board, tallies={Criterion.OVERALL: read_tally(reference.pairs_path())})
    return board


def live_board(*tallies: Tally) -> Board:
    """The default campaign's, with counts for overall, content and language, in this order, as far as they are given."""
    board = make_campaign(candidates=0).board
    overwrite_tally(board=board, tallies=dict(zip(Criterion, tallies, strict=False)))
    return board


def source_of(board: Board, criterion: Criterion = Criterion.OVERALL) -> Source:
    tally = board_tally(board=board, criterion=criterion)
    return Source(board, criterion, tally, build_board(tally, criterion=criterion))


def published_source(board: Board, criterion: Criterion = Criterion.OVERALL, **query: str) -> Source:
    """As :func:`source_of`, of a board that is published if that is due."""
    boards.publish(board)
    return replace(source_of(board, criterion), query=query)


def make_snapshot(
    board: Board,
    n: int = 300,
    *,
    models: tuple[str, ...] = ("w", "x", "y", "z"),
    criterion: Criterion = Criterion.OVERALL,
    ties: TieRule = TieRule.HALF,
    part: str = "",
) -> Snapshot:
    """A board of *n* votes by sixty volunteers, drawn without any preference."""
    rng = np.random.default_rng(n)
    m = len(models)
    a = rng.integers(0, m, n)
    b = (a + rng.integers(1, m, n)) % m
    ballots = Ballots(models, a, b, rng.integers(0, 4, n), rng.integers(0, 60, n))
    cut = Cut(ballots, n_excluded=7, filters="guest", at=timezone.now(), slice=part)
    return publish_snapshot(board=board, criterion=criterion, cut=cut, ties=ties)
