"""What the numbers of reports are computed from: one board as its votes stand, read once for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from arena.selectors.ballots import VoteTable, vote_table
from arena.selectors.covariates import StyledVotes, styled_votes
from arena.selectors.languages import Answered, answers_to_basque
from ranking.ballots import Ballots
from ranking.filters import ExclusionReason, Filtered, FilterSet, apply_filters
from ranking.models import Board
from ranking.selectors import criteria_of, load_tally
from ranking.tally import Tally
from ranking.types import BoardKind, Criterion


@dataclass(frozen=True, eq=False)
class Counts:
    """A board of which counts alone are known.

    Parameters
    ----------
    board
        The board.
    tallies
        By criterion, as far as it holds them.
    read_at
        No later vote is in them.
    """

    board: Board
    tallies: Mapping[Criterion, Tally]
    read_at: datetime


@dataclass(frozen=True, eq=False)
class Votes(Counts):
    """A board with its single votes.

    Parameters
    ----------
    table
        All votes.
    left
        Which of them count; *tallies* are theirs.
    """

    table: VoteTable
    left: Filtered

    @cached_property
    def counted(self) -> VoteTable:
        """The votes that count."""
        return self.table.taken(self.left.counted)

    def ballots(self, criterion: Criterion) -> Ballots:
        """The votes that count, on one criterion."""
        return self.table.ballots(criterion, self.left.counted)

    @cached_property
    def sound(self) -> NDArray[np.bool_]:
        """The votes that nothing speaks against, those on pairs shown again included: they say as much of who cast them. Shape ``(n,)``."""
        return sound(self.table)

    @cached_property
    def styled(self) -> StyledVotes:
        """What was measured on the answers of the newest votes that count."""
        return styled_votes(self.counted)

    @cached_property
    def answered(self) -> list[Answered]:
        """In which languages Basque messages were answered."""
        return list(answers_to_basque(self.board, until=self.read_at))

    @cached_property
    def repeats(self) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Which of the votes that count are on a single question, shape ``(n,)``, and the item of each: one question of one pair, on whichever sides."""
        votes = self.counted
        single = votes.turns == 1
        a, b, m = votes.a[single].astype(np.int64), votes.b[single].astype(np.int64), len(votes.models)
        _, question = np.unique(votes.prompts[single], return_inverse=True)
        _, item = np.unique((question * m + np.minimum(a, b)) * m + np.maximum(a, b), return_inverse=True)
        return single, item


def sound(table: VoteTable) -> NDArray[np.bool_]:
    """Which votes nothing speaks against but that their pair was there already. Shape ``(n,)``."""
    filters = FilterSet.strictest().admitting(ExclusionReason.REJUDGED, ExclusionReason.PROMPT_SET)
    return apply_filters(table.reasons, filters).counted


def material_of(board: Board) -> Counts:
    """Read the board: a live one's votes, an imported one's counts."""
    if board.kind != BoardKind.LIVE.value:
        tallies = {
            criterion: load_tally(board_id=board.pk, criterion=criterion) for criterion in criteria_of(board)
        }
        return Counts(board, tallies, timezone.now())
    table, read_at = vote_table(board), timezone.now()
    left = apply_filters(table.reasons, FilterSet.strictest())
    tallies = {criterion: table.ballots(criterion, left.counted).tally() for criterion in Criterion}
    return Votes(board, tallies, read_at, table, left)
