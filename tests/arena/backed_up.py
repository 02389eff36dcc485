"""A campaign with votes, folders of a test's own, and commands as an operator gives them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from arena.models import Campaign
from tests.arena.builders import make_campaign, make_participant
from tests.arena.test_leaving import voted

BACK, OTHER = "backups_go_back_here", "backups_are_of_this"


@pytest.fixture(autouse=True)
def places(settings: Settings, tmp_path: Path) -> Path:
    settings.LEHIA_DATA, settings.LEHIA_BACKUPS = tmp_path, tmp_path / "backups"
    settings.LEHIA_RELEASES = tmp_path / "releases"
    settings.LEHIA_ERASURE_LOG = tmp_path / "apart" / "erasures.jsonl"
    return tmp_path


@pytest.fixture
def campaign() -> Campaign:
    return make_campaign(candidates=4)


def told(capsys: pytest.CaptureFixture[str], *argv: Any, **options: Any) -> dict[str, Any]:
    capsys.readouterr()
    call_command(*argv, **options)
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def some_votes(campaign: Campaign, count: int = 6) -> None:
    for number in range(count):
        voted(make_participant(campaign), f"Galdera {number}")
