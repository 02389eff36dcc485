"""A real process of the site that tests attack over the network."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

from arena.embedded.ports import free_port, listens
from arena.embedded.processes import end, spawn
from inference.processes import wait_until
from tests.arena.test_processes import Site
from tests.valkey import Valkey


@contextmanager
def attacked(repository: Path, valkey: Valkey, **env: str) -> Iterator[Site]:
    """On the tests' database, with these settings."""
    database, port = connection.settings_dict, free_port()
    argv = [sys.executable, "-m", "arena.serve", "--port", str(port)]
    ours = {
        "DATABASE_URL": f"postgresql://{database['USER']}@localhost/{database['NAME']}?host={database['HOST']}",
        "REDIS_URL": valkey.url,
    }
    process = spawn(argv, env=ours | env, output=subprocess.DEVNULL, cwd=repository)
    try:
        assert wait_until(lambda: listens(port), within_s=60)
        yield Site(f"http://127.0.0.1:{port}", process)
    finally:
        end(process)
