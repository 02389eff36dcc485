"""What processes note in Valkey keeps none of them from ending."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import threading
import django
django.setup()
from arena.observing import notes
held = threading.Event()
def hold():
    with notes.client().connection_pool._lock:
        held.set()
        threading.Event().wait()
threading.Thread(target=hold, daemon=True).start()
held.wait()
"""


def test_a_process_ends_though_its_noting_thread_is_in_the_midst_of_it(repository: Path) -> None:
    """The thread dies with the interpreter and never gives the lock back."""
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "arena.settings", "REDIS_URL": "redis://localhost:1/0"}
    subprocess.run([sys.executable, "-c", PROGRAM], cwd=repository, env=env, check=True, timeout=60)
