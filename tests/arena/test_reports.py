"""Every report of the published board and of one without votes, as pages and as downloads."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.plugin import DjangoDbBlocker

from arena.reports import registry
from arena.reports.base import Page, Report, Section
from arena.services import boards
from ranking.models import Board
from ranking.tables import to_csv
from tests.arena.boards import published_board, source_of
from tests.arena.builders import make_campaign
from tests.worlds import made_once

pytestmark = pytest.mark.django_db
PAGES = [pytest.param(page, id=page.slug) for page in registry.PAGES]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Board]:
    def made() -> Board:
        board = published_board()
        boards.publish(board)
        return board

    with made_once(django_db_blocker, made) as once:
        yield once


@pytest.fixture
def published(world: Board) -> Board:
    return Board.objects.get(pk=world.pk)


def sections(report: Report) -> tuple[Section, ...]:
    assert report.sections or report.reason
    return report.sections


@pytest.mark.parametrize("page", PAGES)
def test_the_published_board_has_what_its_data_allow(client: Client, published: Board, page: Page) -> None:
    answer = client.get(reverse("report", args=[published.slug, page.slug]))
    assert answer.status_code == (200 if page.offered(published) else 404)
    if page.offered(published):
        assert sections(page.build(source_of(published)))
        assert "gpt-4o" in answer.content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_a_board_without_votes_says_so(client: Client, page: Page) -> None:
    campaign = make_campaign()
    if page.offered(campaign.board):
        assert client.get(reverse("report", args=[campaign.board.slug, page.slug])).status_code == 200
        assert page.build(source_of(campaign.board)).reason


@pytest.mark.parametrize("page", PAGES)
def test_downloads_hold_what_the_page_shows(client: Client, published: Board, page: Page) -> None:
    if not page.offered(published):
        return
    address = reverse("report", args=[published.slug, page.slug])
    whole = json.loads(client.get(address, {"format": "json"}).content)
    assert whole["board"] == published.slug
    assert whole["n_votes"] == 12890
    for section in page.build(source_of(published)).sections:
        table = section.table
        answer = client.get(address, {"format": "csv", "table": table.name})
        assert answer["Content-Disposition"].endswith(f'{table.name}.csv"')
        read = list(csv.DictReader(io.StringIO(answer.content.decode())))
        assert len(read) == len(whole[table.name]) == len(table.rows)
        assert tuple(read[0]) == table.columns
        assert client.get(address, {"format": "tex", "table": table.name}).status_code == 200


def test_what_is_not_there_is_not_found(client: Client, published: Board) -> None:
    address = reverse("report", args=[published.slug, "pairs"])
    assert client.get(reverse("report", args=[published.slug, "nothing"])).status_code == 404
    assert client.get(reverse("report", args=["nothing", "pairs"])).status_code == 404
    for query in ({"format": "xls"}, {"format": "csv", "table": "nothing"}, {"criterion": "content"}):
        assert client.get(address, query).status_code == 404


def test_numbers_are_written_in_the_readers_language(client: Client, published: Board) -> None:
    address = reverse("report", args=[published.slug, "pairs"])
    assert "0,5" in client.get(address).content.decode()
    client.post(reverse("set_language"), {"language": "en", "next": "/"})
    assert "0.5" in client.get(address).content.decode()


def test_win_rates_of_a_pair_are_those_of_its_counts(published: Board) -> None:
    read = csv.DictReader(
        io.StringIO(to_csv(registry.PAGES[0].build(source_of(published)).sections[0].table))
    )
    rows = [{name: float(row[name]) for name in ("battles", "wins", "ties", "win_rate")} for row in read]
    assert sum(row["battles"] for row in rows) == 12890
    for row in rows:
        assert row["win_rate"] == pytest.approx((row["wins"] + row["ties"] / 2) / row["battles"])
