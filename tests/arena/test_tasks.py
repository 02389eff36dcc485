"""Tasks that pages order reach the site's own broker."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ORDERS = """
import django
django.setup()
import arena.urls
from arena.tasks import answer_prompts, compute_studies
from django.conf import settings
for task in (answer_prompts, compute_studies):
    assert task.app.main == "lehia", task.app
    assert task.app.conf.broker_url == settings.CELERY_BROKER_URL
"""


def test_a_process_that_only_serves_pages_orders_tasks_of_the_sites_broker(repository: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ORDERS], cwd=repository, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
