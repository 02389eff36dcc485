"""Lists a page at a time: nothing is lost or comes twice, whatever is published meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from urllib.parse import urlencode
from uuid import UUID

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ranking.models import Board, Snapshot
from ranking.tally import Tally
from ranking.types import Criterion, Outcome, TieRule
from tests.arena.api.callers import get
from tests.arena.boards import live_board
from tests.arena.builders import make_candidate

pytestmark = pytest.mark.django_db
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def publish(board: Board, second: int, *, ties: TieRule = TieRule.HALF) -> str:
    """A snapshot that holds nothing, created at that second; its id."""
    made = Snapshot.objects.create(
        board=board,
        criterion=Criterion.OVERALL.value,
        ties=ties.value,
        filters="guest",
        cluster="user",
        cut_at=BEGAN,
        code_version="0",
        tally_checksum="0" * 64,
        n_votes=0,
        n_excluded=0,
        payload={},
        covariance=[],
        checksum="0" * 64,
        created_at=BEGAN + timedelta(seconds=second),
    )
    return str(made.pk)


def pages(client: Client, path: str, limit: int) -> Iterator[list[str]]:
    """The keys of each page in turn, read when they are asked for."""
    cursor = None
    while True:
        query = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        body = get(client, f"{path}?{urlencode(query)}").json()
        assert len(body["items"]) <= limit
        yield [each.get("id") or each["code"] for each in body["items"]]
        cursor = body["next"]
        if cursor is None:
            return


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seconds=st.lists(st.integers(0, 6), max_size=12),
    added=st.lists(st.integers(0, 9), max_size=6),
    limit=st.integers(1, 5),
)
def test_every_snapshot_there_was_comes_once_while_others_are_published(
    client: Client, db: None, seconds: list[int], added: list[int], limit: int
) -> None:
    board = Board.objects.create(slug=f"b{Board.objects.count()}", name="B", kind="live")
    there = [publish(board, second) for second in seconds]
    publish(board, 3, ties=TieRule.DROP)  # on another scale, and so in another list
    late, read = iter(added), list[str]()
    for page in pages(client, f"/boards/{board.slug}/snapshots", limit):
        read += page
        for second in islice(late, 1):
            publish(board, second)
    assert len(read) == len(set(read))
    assert set(there) <= set(read)
    moments = dict(Snapshot.objects.filter(board=board).values_list("pk", "created_at"))
    told = [moments[UUID(key)] for key in read]
    assert told == sorted(told, reverse=True)


def test_candidates_come_once_each_by_code(client: Client) -> None:
    codes = [make_candidate(code).code for code in ("b", "a", "d-2", "d", "c")]
    board = live_board(_met(codes))
    assert board.cells.exists()
    read = [code for page in pages(client, "/candidates", 2) for code in page]
    assert sorted(read) == sorted(codes)
    assert [*pages(client, "/candidates", 100)] == [read]


def _met(codes: list[str]) -> Tally:
    tally = Tally.empty(codes)
    for one, other in pairwise(codes):
        tally = tally.moved(one, other, Outcome.TIE, 1)
    return tally
