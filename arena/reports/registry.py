"""All reports, in the order in which a board's page links them."""

from __future__ import annotations

from arena.reports import benchmarks, factors, pairs
from arena.reports.base import Page
from ranking.models import Board

PAGES: tuple[Page, ...] = (pairs.PAGE, factors.PAGE, benchmarks.PAGE)


def find(slug: str) -> Page | None:
    return next((page for page in PAGES if page.slug == slug), None)


def offered(board: Board) -> list[Page]:
    return [page for page in PAGES if page.offered(board)]
