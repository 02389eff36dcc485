"""That a process of the site tells the workers' own broker of an order."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SITE = """
import threading
import django
django.setup()
import arena.urls
from arena.tasks import write_export
told = threading.Thread(target=lambda: print(write_export.app.main, write_export.app.conf.broker_url))
told.start()
told.join()
"""


def test_tasks_go_to_the_sites_broker_from_every_thread_of_a_web_process(repository: Path) -> None:
    env = os.environ | {"REDIS_URL": "redis://valkey.example/3", "DJANGO_SETTINGS_MODULE": "arena.settings"}
    done = subprocess.run(
        [sys.executable, "-c", SITE], cwd=repository, env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["lehia", "redis://valkey.example/3"]
