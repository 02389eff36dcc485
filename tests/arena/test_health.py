"""What supervisors ask a process: whether it lives, and whether it can serve."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client, override_settings

from tests.arena.test_safety import run
from tests.valkey import Valkey, running

ASK = """
import json, django
django.setup()
from django.test import Client
client = Client(SERVER_NAME="localhost")
told = {path: (found.status_code, found.content.decode()) for path in ("/healthz", "/readyz") for found in [client.get(path)]}
print(json.dumps(told))
"""


def asked(client: Client, path: str) -> tuple[int, str]:
    found = client.get(path)
    assert "no-store" in found.headers["Cache-Control"]
    return found.status_code, found.content.decode()


@pytest.mark.django_db
def test_with_its_database_and_valkey_a_process_is_ready(client: Client) -> None:
    with running() as valkey:
        assert _with(client, valkey) == (200, "ok\n")
        valkey.stop()
        assert _with(client, valkey) == (200, "ok, without Valkey\n")


def _with(client: Client, valkey: Valkey) -> tuple[int, str]:
    with override_settings(REDIS_URL=valkey.url):
        return asked(client, "/readyz")


@pytest.mark.django_db
def test_before_its_migrations_a_process_lives_and_is_not_ready(client: Client) -> None:
    MigrationRecorder.Migration.objects.filter(app="arena").latest("applied").delete()
    assert asked(client, "/readyz") == (503, "not ready: migrations are missing\n")
    assert asked(client, "/healthz") == (200, "ok\n")


@pytest.mark.django_db(transaction=True)
def test_without_its_database_a_process_lives_and_is_not_ready(repository: Path, tmp_path: Path) -> None:
    nowhere = f"postgresql://lehia@localhost/lehia?host={tmp_path}"
    done = run(["-c", ASK], repository, DATABASE_URL=nowhere)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "/healthz": [200, "ok\n"],
        "/readyz": [503, "not ready: the database does not answer\n"],
    }
