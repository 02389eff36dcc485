"""A folder of exports, votes to export, and who orders."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from arena.models import Participant, User
from tests.arena.builders import make_campaign, make_participant
from tests.arena.exports.jobs.made import BATTLES
from tests.arena.exports.made import publishable, voted


@pytest.fixture(autouse=True)
def _own_folder(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.LEHIA_EXPORTS = tmp_path / "exports"
    monkeypatch.setattr("arena.services.exports.MARGIN", timedelta(seconds=-1))


@pytest.fixture
def people() -> list[Participant]:
    campaign = make_campaign(candidates=2)
    publishable(campaign)
    found = [make_participant(campaign) for _ in range(BATTLES)]
    for number, person in enumerate(found):
        voted(person, text=f"{number}. galdera")
    return found


@pytest.fixture
def researcher() -> User:
    return User.objects.create_user("ikertzailea")
