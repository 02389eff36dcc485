"""Every report of a live board with a few votes, beside a published one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.plugin import DjangoDbBlocker

from arena.models import Campaign
from arena.reports import labels
from arena.reports.base import Page
from arena.selectors.judgements import Judgements
from arena.services import boards
from arena.services.votes import cast_vote
from ranking.models import Board
from ranking.types import Criterion, Outcome
from tests.arena.boards import published_board, source_of
from tests.arena.builders import begin, finish, make_campaign, make_participant
from tests.arena.test_reports import PAGES, sections
from tests.worlds import made_once

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[tuple[Campaign, Board]]:
    with made_once(django_db_blocker, both_boards) as made:
        yield made


@pytest.fixture
def live(world: tuple[Campaign, Board]) -> Campaign:
    return Campaign.objects.select_related("board").get(pk=world[0].pk)


@pytest.fixture
def published(world: tuple[Campaign, Board]) -> Board:
    return Board.objects.get(pk=world[1].pk)


def both_boards() -> tuple[Campaign, Board]:
    """A campaign of three candidates and eighteen votes that go both ways, and the board of the published counts; both as they were published."""
    campaign = make_campaign(candidates=3)
    volunteer = make_participant(campaign)
    for place in range(18):
        battle = finish(begin(volunteer, text=f"Galdera {place}"))
        content = list(Outcome)[place % 3]
        cast_vote(battle_id=battle.pk, participant=volunteer, judgements=Judgements(content, Outcome.TIE))
    published = published_board()
    for board in (campaign.board, published):
        boards.publish(board)
    return campaign, published


@pytest.mark.parametrize("page", PAGES)
def test_a_live_board_shows_each_report_or_says_why_not(client: Client, live: Campaign, page: Page) -> None:
    if page.offered(live.board):
        answer = client.get(reverse("report", args=[live.board.slug, page.slug]), {"criterion": "content"})
        assert answer.status_code == 200
        sections(page.build(source_of(live.board, Criterion.CONTENT)))


@pytest.mark.parametrize("page", PAGES)
def test_every_column_has_a_label_and_every_table_a_name_of_its_own(
    published: Board, live: Campaign, page: Page
) -> None:
    for board in (published, live.board):
        if page.offered(board):
            tables = [section.table for section in page.build(source_of(board)).sections]
            assert len({table.name for table in tables}) == len(tables)
            assert {column for table in tables for column in table.columns} <= labels.COLUMNS.keys()
