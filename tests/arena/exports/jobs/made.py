"""Ordered exports to look at, and what happens while one is written."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest
from django.conf import settings as site
from django.db import connection

from arena.exports.files import Format, Written
from arena.exports.filters import Filters
from arena.exports.layouts import LAYOUTS
from arena.models import ExportJob, User
from arena.services import export_jobs, exports
from arena.services.export_jobs import order_export
from arena.services.exports import Order, latest_cutoff

BATTLES = 3
_Result = TypeVar("_Result")


def order(layout: str = "dpo", form: Format = Format.JSONL, **filters: Any) -> Order:
    return Order(LAYOUTS[layout], form, Filters(latest_cutoff(), **filters), "ikertzailea")


def ordered(by: User, **asked: Any) -> ExportJob:
    return order_export(order(**asked), by=by, is_limited=False)


def beside(what: Callable[[], _Result]) -> _Result:
    """Done with another connection, as by another process."""

    def done() -> _Result:
        try:
            return what()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(done).result()


def files() -> list[Path]:
    return [each for each in Path(site.LEHIA_EXPORTS).rglob("*") if each.is_file()]


def interrupt(monkeypatch: pytest.MonkeyPatch, what: Callable[[], object]) -> None:
    """Once, before the first battle of the next export."""
    left = [what]

    def interrupted(asked: Order, *, folder: Path, told: Callable[[], object]) -> Written:
        def first() -> None:
            if left:
                left.pop()()
            told()

        return exports.make_file(asked, folder=folder, told=first)

    monkeypatch.setattr(export_jobs, "make_file", interrupted)
