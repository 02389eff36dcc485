"""What the site's processes hold while a load runs: memory, open files, connections to the database."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from django.db import connection

from benchmarks.relay_processes import family


@dataclass(frozen=True, slots=True)
class Look:
    """One moment: resident memory of all processes together in MB, open file descriptors, connections to the database."""

    memory_mb: float
    files: int
    connections: int


@dataclass(slots=True)
class Watch:
    """Looks every *every_s* seconds until it is cancelled."""

    pid: int
    every_s: float = 1.0
    looks: list[Look] = field(default_factory=list)

    async def run(self) -> None:
        options = connection.get_connection_params()
        keep = {"dbname", "user", "password", "host", "port"}
        asked = {name: value for name, value in options.items() if name in keep and value}
        async with await psycopg.AsyncConnection.connect(**asked, autocommit=True) as own:
            while True:
                row = await (await own.execute(_CONNECTIONS)).fetchone()
                assert row is not None
                self.looks.append(Look(*_held(self.pid), connections=row[0]))
                await asyncio.sleep(self.every_s)

    def peak_mb(self) -> float:
        return max(look.memory_mb for look in self.looks)


_CONNECTIONS = """
SELECT count(*)::int FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


def _held(pid: int) -> tuple[float, int]:
    memory_kib = files = 0
    for each in family(pid):
        with suppress(OSError):  # it has just ended
            status = Path(f"/proc/{each}/status").read_text(encoding="utf-8")
            memory_kib += int(status.partition("VmRSS:")[2].split()[0])
            files += sum(1 for _ in Path(f"/proc/{each}/fd").iterdir())
    return round(memory_kib / 1024, 1), files
