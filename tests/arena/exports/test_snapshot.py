"""What is voted, marked and erased while an export is written: connections of their own, as on the site."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from django.db import connection, transaction
from django.utils import timezone

from arena.errors import ExportRefused
from arena.exports.files import Format
from arena.exports.filters import Filters
from arena.exports.layouts import LAYOUTS, Context, Layout, Row
from arena.exports.records import Record
from arena.models import Battle, Campaign
from arena.selectors.judgements import Judgements
from arena.services import exports
from arena.services.erasure import erase_participant
from arena.services.feedback import Said, add_feedback
from arena.services.votes import cast_vote
from arena.types import FeedbackKind, Side
from inference.processes import wait_until
from ranking.types import Outcome
from tests.arena.builders import begin, finish, make_campaign, make_participant
from tests.arena.exports.made import publishable, voted

pytestmark = pytest.mark.django_db(transaction=True)
T = TypeVar("T")


@pytest.fixture
def campaign(monkeypatch: pytest.MonkeyPatch) -> Campaign:
    monkeypatch.setattr("arena.services.exports.MARGIN", timedelta(hours=-2))
    campaign = make_campaign(candidates=2)
    publishable(campaign)
    return campaign


@pytest.fixture
def others() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


def with_own_connection(do: Callable[[], T]) -> T:
    try:
        return do()
    finally:
        connection.close()


def rows_of(folder: Path, layout: Layout, cutoff: datetime) -> list[Row]:
    order = exports.Order(layout, Format.JSONL, Filters(cutoff))
    path, _ = exports.export(order, folder=folder)
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def vote(battle: Battle) -> None:
    judged = Judgements(Outcome.A_BETTER, Outcome.A_BETTER)
    cast_vote(battle_id=battle.pk, participant=battle.participant, judgements=judged)


@contextmanager
def held_open(battle: Battle, others: ThreadPoolExecutor) -> Iterator[threading.Event]:
    """A vote is written, and its transaction open until the event is set, or the block over."""
    written, over = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            vote(battle)
            written.set()
            over.wait()

    held: Future[None] = others.submit(with_own_connection, hold)
    try:
        assert written.wait(60)
        yield over
    finally:
        over.set()
        held.result()


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'SELECT pg_sleep%%'",
            [],
        )
        return bool(cursor.fetchone()[0])


def test_an_export_waits_for_a_vote_of_before_its_cutoff_that_is_not_committed_yet(
    campaign: Campaign, others: ThreadPoolExecutor, tmp_path: Path
) -> None:
    battle = finish(begin(make_participant(campaign)))
    with held_open(battle, others) as over:
        cutoff = timezone.now()
        file = others.submit(with_own_connection, lambda: rows_of(tmp_path, LAYOUTS["ebaluatoia"], cutoff))
        assert wait_until(somebody_waits, within_s=60)
        assert not file.done()
        over.set()
        assert len(file.result()) == 1


def test_an_export_does_not_wait_for_ever_and_leaves_nothing(
    campaign: Campaign, others: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(exports, "_PATIENCE_S", 0.0)
    with held_open(finish(begin(make_participant(campaign))), others):
        with pytest.raises(ExportRefused, match="still open"):
            rows_of(tmp_path, LAYOUTS["ebaluatoia"], timezone.now())
        assert not [*tmp_path.iterdir()]


def test_who_began_to_vote_after_the_cutoff_is_not_waited_for(
    campaign: Campaign, others: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(exports, "_PATIENCE_S", 0.0)
    voted(make_participant(campaign))
    cutoff = timezone.now()
    with held_open(finish(begin(make_participant(campaign))), others):
        assert len(rows_of(tmp_path, LAYOUTS["ebaluatoia"], cutoff)) == 1


def test_all_pages_of_a_file_are_of_one_moment_whatever_is_committed_between_them(
    campaign: Campaign, others: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("arena.selectors.exports.PAGE", 1)
    first, second = (voted(make_participant(campaign), text=f"{number}. galdera", a="Bai") for number in "12")
    third = finish(begin(make_participant(campaign)))

    def meanwhile() -> None:
        answer = first.turns.get().answers.get(side=Side.A.value)
        said = Said(answer.pk, 0, 3, FeedbackKind.CALQUE)
        add_feedback(battle_id=first.pk, participant_id=first.participant_id, said=said)
        erase_participant(participant_id=second.participant_id)
        vote(third)

    plain = LAYOUTS["turns"]
    seen: list[Any] = []

    def rows(record: Record, context: Context) -> Iterator[Row]:
        if not seen:
            others.submit(with_own_connection, meanwhile).result()
        seen.append(record.id)
        yield from plain.rows(record, context)

    cutoff = timezone.now() + timedelta(hours=1)
    during = rows_of(tmp_path, replace(plain, rows=rows), cutoff)
    assert seen == [first.pk, second.pk]
    assert [row["prompt"] for row in during] == ["1. galdera"] * 2 + ["2. galdera"] * 2
    after = rows_of(tmp_path, plain, cutoff)
    assert {row["battle"] for row in after} & {row["battle"] for row in during} == {during[0]["battle"]}
    assert len(after) == 4
    assert len(rows_of(tmp_path, LAYOUTS["spans"], cutoff)) == 1
