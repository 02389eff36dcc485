"""Exports in real worker processes, one of them killed in the middle."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from arena.celery import app
from arena.embedded.processes import end, spawn
from arena.exports.files import Format
from arena.exports.filters import Filters
from arena.exports.layouts import LAYOUTS
from arena.models import Export, ExportJob, User
from arena.services import exports
from arena.services.export_jobs import LEASE, order_export
from arena.services.exports import Order, latest_cutoff
from arena.tasks import tend_exports, write_export
from inference.processes import wait_until
from ranking.ballots import Ballots
from tests.arena.crowds import store
from tests.arena.exports.made import publishable
from tests.valkey import Valkey, running

pytestmark = pytest.mark.django_db(transaction=True)
BATTLES = 1200
KILLED_AT = 900
WORKER = """
from arena.celery import app
app.worker_main("worker --pool threads --concurrency 1 --without-gossip --without-mingle --loglevel INFO".split())
"""
DYING = f"""
import os, signal, threading
import django
django.setup()
from arena.services import export_jobs
one_more = export_jobs._Pulse.one_more
def dying(pulse):
    one_more(pulse)
    if pulse.battles == {KILLED_AT}:
        beside = threading.Thread(target=pulse._say)
        beside.start()
        beside.join()
        os.kill(os.getpid(), signal.SIGKILL)
export_jobs._Pulse.one_more = dying
"""


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    with running() as server:
        yield server


@contextmanager
def worker(
    valkey: Valkey, folder: Path, log: Path, program: str = WORKER
) -> Iterator[subprocess.Popen[bytes]]:
    """A Celery worker on the tests' database."""
    database = connection.settings_dict
    env = {
        "DATABASE_URL": f"postgresql://{database['USER']}@localhost/{database['NAME']}?host={database['HOST']}",
        "REDIS_URL": valkey.url,
        "LEHIA_EXPORTS": str(folder),
        "DJANGO_SETTINGS_MODULE": "arena.settings",
    }
    with log.open("wb") as output:
        process = spawn([sys.executable, "-c", program], env=env, output=output)
        try:
            yield process
        finally:
            end(process)


def test_what_a_killed_worker_left_another_one_finishes(
    valkey: Valkey, settings: Settings, tmp_path: Path
) -> None:
    folder = settings.LEHIA_EXPORTS = tmp_path / "exports"
    asked = filled()
    job = order_export(asked, by=User.objects.create_user("ikertzailea"), is_limited=True)
    with app.connection_for_write(valkey.url.replace("unix://", "redis+socket://", 1)) as broker:
        with worker(valkey, folder, tmp_path / "first.log", DYING + WORKER) as first:
            write_export.apply_async((str(job.pk),), connection=broker)  # type: ignore[call-arg]  # Celery passes it on
            assert first.wait(120) == -signal.SIGKILL, (tmp_path / "first.log").read_text()
        job.refresh_from_db()
        assert (job.state, job.battles_done, job.attempts, job.file) == ("running", KILLED_AT, 1, "")
        [left] = [each for each in folder.rglob("*") if each.is_file()]
        assert left.suffix == ".part"
        assert left.stat().st_size > 0
        ExportJob.objects.update(claimed_until=timezone.now() - LEASE)
        with worker(valkey, folder, tmp_path / "second.log"):
            tend_exports.apply_async(connection=broker)  # type: ignore[call-arg]  # see above
            done = ExportJob.objects.filter(state="done")
            assert wait_until(done.exists, within_s=120), (tmp_path / "second.log").read_text()
    job.refresh_from_db()
    assert (job.battles_done, job.attempts) == (BATTLES, 2)
    assert [each for each in folder.rglob("*") if each.is_file()] == [job.path]
    assert Export.objects.get().sha256 == hashlib.sha256(job.path.read_bytes()).hexdigest()
    ids = [json.loads(line)["id"] for line in job.path.read_text().splitlines()]
    assert len(ids) == len(set(ids)) == BATTLES
    path, _ = exports.export(asked, folder=tmp_path)
    assert path.read_bytes() == job.path.read_bytes()


def filled() -> Order:
    """The order of an export with many battles."""
    sides = np.arange(BATTLES) % 2
    campaign, _ = store(Ballots(("bat", "bi"), sides, 1 - sides, sides, np.arange(BATTLES) // 10))
    publishable(campaign)
    return Order(LAYOUTS["ebaluatoia-sanitized"], Format.JSONL, Filters(latest_cutoff()))
