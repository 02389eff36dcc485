"""What most tests of the API read: one board, and no limit in the way."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from tests.arena.api.worlds import World, make_world


@pytest.fixture(autouse=True)
def without_limits(settings: Settings) -> None:
    settings.LEHIA_API_PER_ADDRESS = settings.LEHIA_API_PER_TOKEN = 1_000_000


@pytest.fixture
def world(db: None) -> World:
    return make_world()
