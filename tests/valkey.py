"""A real Valkey that tests may stop, start and freeze."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import redis
import redis.asyncio

from arena.embedded import paths, processes, valkey
from inference.processes import wait_until


class Valkey:
    """One server on a Unix socket of its own."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._process: subprocess.Popen[bytes] | None = None
        self.url = paths.embedded_valkey_url(data)

    def start(self) -> None:
        self._process = processes.spawn(valkey.command(self._data), output=subprocess.DEVNULL)
        assert wait_until(lambda: valkey.answers(self.url), within_s=20)

    def stop(self) -> None:
        """End it; what it knew is gone too."""
        if self._process is not None:
            processes.end(self._process, sig=signal.SIGKILL)
            self._process = None
        shutil.rmtree(paths.valkey_data(self._data), ignore_errors=True)

    def files(self) -> bytes:
        """What stands in its files."""
        found = (path for path in paths.valkey_data(self._data).rglob("*") if path.is_file())
        return b"".join(path.read_bytes() for path in found)

    def settled(self) -> bool:
        """Wait until it writes no file anew."""
        with redis.Redis.from_url(self.url) as server:
            return wait_until(lambda: not _writes(server.info("persistence")), within_s=20)

    def freeze(self) -> None:
        """It accepts connections and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


def _writes(told: dict[str, Any]) -> bool:
    return bool(told["aof_rewrite_in_progress"] or told["aof_rewrite_scheduled"])


@contextmanager
def running() -> Iterator[Valkey]:
    with tempfile.TemporaryDirectory(prefix="lehia-v-") as folder:
        server = Valkey(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


@asynccontextmanager
async def client(server: Valkey) -> AsyncIterator[redis.asyncio.Redis]:
    async with redis.asyncio.Redis.from_url(server.url, decode_responses=True) as connected:
        yield connected


async def left(server: Valkey, endpoint: str) -> dict[str, list[str]]:
    """Who holds a slot and who waits, as the server sees it."""
    async with client(server) as connected:
        names = ("slots", "queue", "alive", "users")
        keys = {name: f"lehia:gate:{{{endpoint}}}:{name}" for name in names}
        rows = {
            name: [str(each) for each in await connected.zrange(key, 0, -1)] for name, key in keys.items()
        }
    return {name: row for name, row in rows.items() if row}


async def connections(server: Valkey) -> int:
    """How many there are, without the one that asks."""
    async with client(server) as connected:
        return len(await connected.client_list()) - 1
