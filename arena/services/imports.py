"""Filling the site from files, each with a line of who did it: imported boards, by counts of pairs or by votes that stay with the board; benchmark scores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction

from arena.errors import BadRows, OtherVotes
from arena.imports.files import raw_rows
from arena.imports.votes import ReadVote, read_vote
from arena.models import ImportedVote, User
from arena.selectors.imports import imported_tallies, source_of
from arena.services.boards import publish
from arena.services.data_log import note_import
from arena.types import VoteSource
from ranking.errors import BadInput, TallyMisuse
from ranking.models import Board
from ranking.readers import Layout, read_tally
from ranking.scores import ScoreFile, ScoreLayout, read_scores
from ranking.services import Stored, replace_tally, store_scores
from ranking.types import BoardKind, Criterion

MOST_SAID = 20
"""Of the bad rows, so many are told."""
_BATCH_ROWS = 500
_BATCH_BYTES = 1 << 23


@dataclass(frozen=True, slots=True)
class ImportedCounts:
    """What the board holds afterwards."""

    n_votes: int
    n_models: int


@dataclass(frozen=True, slots=True)
class ImportedVotes(ImportedCounts):
    """And of the file: how many votes are new, and how many the board had already."""

    n_added: int
    n_known: int


def import_pairs(*, wanted: Board, path: Path, dry_run: bool, by: User | None = None) -> ImportedCounts:
    """Put the counts of a file in the place of the board's, and publish it. Repeating it changes nothing.

    Raises
    ------
    BadInput
        With line and column, where the file cannot be used.
    TallyMisuse
        For a live board.
    OtherVotes
        For a board that holds votes.
    """
    tally = read_tally(path, layout=Layout.PAIRS)
    with transaction.atomic():
        board = _held(wanted)
        _allow_only(board, None)
        replace_tally(board=board, tallies={Criterion.OVERALL: tally})
        note_import(path, layout=Layout.PAIRS.value, about=board.slug, rows=tally.n_votes, by=by)
        transaction.set_rollback(dry_run)
    if not dry_run:
        publish(board)
    return ImportedCounts(tally.n_votes, len(tally.models))


def import_votes(
    *, wanted: Board, source: VoteSource, path: Path, dry_run: bool, by: User | None = None
) -> ImportedVotes:
    """Add the votes of a file to the board, all or none, count the board from its votes, and publish it.

    Votes that it holds already are passed over, so repeating it changes nothing. One transaction that holds the board; memory does not grow with the file.
    Counts of pairs that the board was filled with before give way to the votes.

    Raises
    ------
    BadRows
        With line and column of the first bad rows.
    TallyMisuse
        For a live board.
    OtherVotes
        For a board that holds votes of another layout.
    """
    bad = _Bad()
    with transaction.atomic():
        board = _held(wanted)
        _allow_only(board, source)
        added = known = 0
        for batch in _batches(_read(path, source, bad)):
            new = _new(board, batch, bad)
            ImportedVote.objects.bulk_create(_stored(board, source, vote) for vote in new)
            added, known = added + len(new), known + len(batch) - len(new)
        if not bad.n and not added + known:
            bad.add(BadInput("is empty"))
        if bad.n:
            raise BadRows(bad.n, bad.first)
        tallies = imported_tallies(board)
        if added:
            replace_tally(board=board, tallies=tallies)
        note_import(path, layout=source.value, about=board.slug, rows=added + known, by=by)
        transaction.set_rollback(dry_run)
    if not dry_run:
        publish(board)
    overall = tallies[Criterion.OVERALL]
    return ImportedVotes(overall.n_votes, len(overall.models), added, known)


def import_scores(
    *,
    path: Path,
    layout: ScoreLayout,
    language: str | None,
    model: str | None,
    dry_run: bool,
    by: User | None = None,
) -> tuple[ScoreFile, Stored]:
    """Store the benchmark scores of a file; those of other benchmarks and models stay. Repeating it changes none. Raises :class:`BadInput`."""
    found = read_scores(path, layout, language=language, model=model)
    with transaction.atomic():
        stored = store_scores(scores=found.scores)
        note_import(path, layout=layout.value, about="", rows=len(found.scores), by=by)
        transaction.set_rollback(dry_run)
    return found, stored


@dataclass(slots=True)
class _Bad:
    """How many rows cannot be used, and what is wrong with the first of them."""

    n: int = 0
    first: list[BadInput] = field(default_factory=list)

    def add(self, problem: BadInput) -> None:
        self.n += 1
        self.first = sorted([*self.first, problem], key=lambda each: each.line)[:MOST_SAID]


def _held(wanted: Board) -> Board:
    """The board, made where it is new, and locked against other imports and publications."""
    Board.objects.get_or_create(slug=wanted.slug, defaults={"name": wanted.name, "kind": wanted.kind})
    board = Board.objects.select_for_update(no_key=True).get(slug=wanted.slug)
    if board.kind != BoardKind.IMPORTED.value:
        raise TallyMisuse("a live board is counted from its votes")
    return board


def _allow_only(board: Board, source: VoteSource | None) -> None:
    found = source_of(board)
    if found not in (None, source):
        raise OtherVotes(f"the board holds votes of the layout {found}; name another board")


def _read(path: Path, source: VoteSource, bad: _Bad) -> Iterator[ReadVote]:
    for line, raw in raw_rows(path):
        try:
            vote = read_vote(source, line, raw)
        except BadInput as problem:
            bad.add(problem)
        else:
            yield vote


def _batches(votes: Iterator[ReadVote]) -> Iterator[list[ReadVote]]:
    batch: list[ReadVote] = []
    size_bytes = 0
    for vote in votes:
        batch.append(vote)
        size_bytes += vote.size_bytes
        if len(batch) >= _BATCH_ROWS or size_bytes >= _BATCH_BYTES:
            yield batch
            batch, size_bytes = [], 0
    if batch:
        yield batch


def _new(board: Board, votes: list[ReadVote], bad: _Bad) -> list[ReadVote]:
    """Those whose id the board lacks. An id that it has must say the same."""
    ids = {vote.external_id for vote in votes}
    stored = ImportedVote.objects.filter(board=board, external_id__in=ids)
    known = dict(stored.values_list("external_id", "checksum"))
    new = []
    for vote in votes:
        if vote.external_id not in known:
            known[vote.external_id] = vote.checksum
            new.append(vote)
        elif known[vote.external_id] != vote.checksum:
            bad.add(BadInput("is known, and says something else there", line=vote.line, column="id"))
    return new


def _stored(board: Board, source: VoteSource, vote: ReadVote) -> ImportedVote:
    return ImportedVote(
        board=board,
        source=source.value,
        external_id=vote.external_id,
        voter=vote.voter,
        language_level=vote.language_level,
        education=vote.education,
        timestamp=vote.timestamp,
        cast_at=vote.cast_at,
        model_a=vote.model_a,
        model_b=vote.model_b,
        conv_a=vote.conv_a,
        conv_b=vote.conv_b,
        winner=vote.winner.value,
        content=vote.content.value if vote.content else "",
        language=vote.language.value if vote.language else "",
        extra=vote.extra,
        checksum=vote.checksum,
    )
