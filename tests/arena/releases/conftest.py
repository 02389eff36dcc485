"""What all tests of releases need."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from arena.models import Campaign
from tests.arena.builders import make_campaign
from tests.arena.exports.made import publishable


@pytest.fixture
def campaign() -> Campaign:
    campaign = make_campaign(candidates=2)
    publishable(campaign)
    return campaign


@pytest.fixture(autouse=True)
def _files_and_time(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of this test alone; and votes need not be old before they can be released."""
    settings.LEHIA_RELEASES = tmp_path / "releases"
    monkeypatch.setattr("arena.services.exports.MARGIN", timedelta(seconds=-2))
