"""Somebody whose things are planted, and a data folder of their test alone."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models import F
from pytest_django.fixtures import Settings

from arena.models import Answer, Battle, Vote
from arena.services import boards
from arena.services.feedback import Said, add_feedback
from arena.types import FeedbackKind
from inference.crypto import encrypt
from inference.models import ModelEndpoint
from tests.arena.builders import make_campaign, make_participant
from tests.arena.canaries.world import DETAILS, SAID, SECRET, World
from tests.arena.exports.made import publishable, voted
from tests.arena.planted import mail_folder, plant
from tests.valkey import Valkey, running


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    with running() as server:
        yield server


@pytest.fixture(autouse=True)
def data(settings: Settings, tmp_path: Path, valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of this test's own; and votes need not be old before they can be exported."""
    settings.REDIS_URL, settings.LEHIA_DATA = valkey.url, tmp_path
    settings.LEHIA_EXPORTS, settings.LEHIA_RELEASES = tmp_path / "exports", tmp_path / "releases"
    settings.LEHIA_BACKUPS, settings.LEHIA_ERASURE_LOG = tmp_path / "backups", tmp_path / "erasures.jsonl"
    settings.EMAIL_FILE_PATH = str(mail_folder())
    (tmp_path / "logs").mkdir()
    monkeypatch.setattr("arena.services.exports.MARGIN", timedelta(seconds=-2))
    return tmp_path


@pytest.fixture
def world(data: Path, caplog: pytest.LogCaptureFixture) -> World:
    caplog.set_level(logging.DEBUG)
    campaign = make_campaign()
    publishable(campaign)
    planted = plant(campaign)
    published = voted(planted.participant, text=SAID, a=f"Zuk diozu: {SAID}", b="Autobusez.")
    answer = Answer.objects.get(turn__battle=published, side="A")
    said = Said(answer.pk, 0, 3, FeedbackKind.OTHER, f"Hobe: {DETAILS[0]}", f"Deitu {DETAILS[1]}")
    add_feedback(battle_id=published.pk, participant_id=planted.participant.pk, said=said)
    for other in range(6):
        voted(make_participant(campaign), text=f"Bestela {other}")
    ModelEndpoint.objects.update(api_key_encrypted=encrypt(SECRET))
    Battle.objects.update(created_at=F("created_at") - timedelta(hours=1))
    Vote.objects.update(created_at=F("created_at") - timedelta(days=1))
    boards.publish(campaign.board)
    return World(planted, published)
