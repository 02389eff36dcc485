"""All reports, in the order in which a board's page links them."""

from __future__ import annotations

from arena.reports import (
    analysis,
    basque,
    benchmarks,
    factors,
    filters,
    forest,
    history,
    pairs,
    planner,
    predicted,
    quality,
    sampling,
    slices,
    style,
)
from arena.reports.base import Page
from ranking.models import Board

PAGES: tuple[Page, ...] = (
    pairs.PAGE,
    forest.PAGE,
    predicted.PAGE,
    history.PAGE,
    factors.PAGE,
    benchmarks.PAGE,
    slices.PAGE,
    style.PAGE,
    basque.PAGE,
    quality.PAGE,
    filters.PAGE,
    analysis.PAGE,
    sampling.PAGE,
    planner.PAGE,
)


def find(slug: str) -> Page | None:
    return next((page for page in PAGES if page.slug == slug), None)


def offered(board: Board) -> list[Page]:
    return [page for page in PAGES if page.offered(board)]
