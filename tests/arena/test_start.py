"""What a process of the site has done before it says that it is ready."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

STARTED = """
import sys
import arena.asgi
from inference import language

assert language._identifier.cache_info().currsize == 1
assert {"arena.views.battles", "arena.services.votes", "arena.reports.registry"} <= set(sys.modules), "left for the first visitor"
"""


def test_nobody_waits_for_what_every_process_needs(repository: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STARTED], cwd=repository, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
