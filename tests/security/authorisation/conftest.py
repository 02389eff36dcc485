"""One world a table."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from tests.security.authorisation.asking import Browser
from tests.security.authorisation.world import World, make_world


@pytest.fixture
def _world_of_its_own(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders of this test's own, staff with second factors, no limits in the way and no workers."""
    settings.LEHIA_EXPORTS, settings.LEHIA_RELEASES = tmp_path / "exports", tmp_path / "releases"
    settings.LEHIA_RUNS, settings.LEHIA_ERASURE_LOG = tmp_path / "runs", tmp_path / "erasures.jsonl"
    settings.LEHIA_STAFF_MFA = True
    settings.LEHIA_LIMITS_SCALE = settings.LEHIA_API_PER_ADDRESS = settings.LEHIA_API_PER_TOKEN = 1_000_000
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher"
    ]  # passwords are not tried here
    monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL)  # thousands of requests
    monkeypatch.setattr("celery.app.task.Task.delay", lambda *_, **__: None)


@pytest.fixture
def world(db: None, _world_of_its_own: None) -> World:
    return make_world()


@pytest.fixture
def browser() -> Browser:
    return Browser()
