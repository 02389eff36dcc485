"""A process of the site that is told to end: it says so first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from arena.embedded.ports import free_port, listens
from arena.embedded.processes import end, spawn
from arena.services.campaigns import ensure_default_campaign
from inference.processes import wait_until
from tests.docker.edge import asked

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_takes_requests_while_its_health_checks_send_them_elsewhere(repository: Path) -> None:
    ensure_default_campaign()
    database, port = connection.settings_dict, free_port()
    env = os.environ | {
        "DATABASE_URL": f"postgresql://{database['USER']}@localhost/{database['NAME']}?host={database['HOST']}",
        "LEHIA_UNREADY_S": "3600",
    }
    site = f"http://127.0.0.1:{port}"
    argv = [sys.executable, "-m", "arena.serve", "--port", str(port)]
    process = spawn(argv, env=env, output=subprocess.DEVNULL, cwd=repository)
    try:
        assert wait_until(lambda: listens(port), within_s=300)
        assert asked(f"{site}/healthz") == (200, "ok\n")
        process.send_signal(signal.SIGTERM)
        assert wait_until(lambda: asked(f"{site}/healthz") == (503, "leaving\n"), within_s=300)
        assert asked(f"{site}/readyz") == (503, "not ready: leaving\n")
        assert asked(f"{site}/")[0] == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(300) == -signal.SIGTERM
    finally:
        end(process)
