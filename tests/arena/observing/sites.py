"""Real processes of the site and a real worker, on the tests' database, whose log lines can be read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection
from kombu import Connection

from arena.celery import app
from arena.embedded.ports import free_port, listens
from arena.embedded.processes import end, spawn
from inference.processes import wait_until
from tests.valkey import Valkey

REPOSITORY = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Started:
    process: subprocess.Popen[bytes]
    log: Path
    address: str = ""

    def text(self) -> str:
        return self.log.read_text()

    def lines(self) -> list[dict[str, Any]]:
        """What it logged until now. Fails where a line is no JSON object."""
        return [json.loads(line) for line in self.text().splitlines(keepends=True) if line.endswith("\n")]

    def until(self, **fields: object) -> dict[str, Any]:
        """Wait for the line that has these fields."""

        def found() -> list[dict[str, Any]]:
            return [line for line in self.lines() if fields.items() <= line.items()]

        assert wait_until(lambda: bool(found()), within_s=60), (fields, self.text()[-3000:])
        return found()[-1]


def environment(valkey_url: str) -> dict[str, str]:
    database = connection.settings_dict
    return {
        "DATABASE_URL": f"postgresql://{database['USER']}@localhost/{database['NAME']}?host={database['HOST']}",
        "REDIS_URL": valkey_url,
        "LEHIA_DRAIN_S": "1",
        "LEHIA_DATA": os.environ["LEHIA_DATA"],
    }


@contextmanager
def web(valkey_url: str, log: Path, *options: str, env: Mapping[str, str] | None = None) -> Iterator[Started]:
    """uvicorn as talkative as it can be."""
    port = free_port()
    argv = [
        *(sys.executable, "-m", "uvicorn", "arena.asgi:application", "--host", "127.0.0.1"),
        *("--port", str(port), "--ws", "websockets-sansio", *options),
    ]
    with _running(argv, {**environment(valkey_url), **(env or {})}, log) as process:
        assert wait_until(lambda: listens(port), within_s=60), log.read_text()
        yield Started(process, log, f"http://127.0.0.1:{port}")


@contextmanager
def worker(valkey_url: str, log: Path, env: Mapping[str, str] | None = None) -> Iterator[Started]:
    argv = [
        *(sys.executable, "-m", "celery", "-A", "arena.celery", "--quiet", "worker", "--pool", "threads"),
        *("--concurrency", "2", "--loglevel", "INFO", "--without-gossip"),
        *("--without-mingle", "--without-heartbeat"),
    ]
    # a worker of root's is warned of before it logs
    env = {"PYTHONWARNINGS": "ignore", **environment(valkey_url), **(env or {})}
    with _running(argv, env, log) as process:
        yield Started(process, log)


def send(valkey: Valkey, name: str, *args: object) -> str:
    """A task to this broker, as a page would; returns its id."""
    with Connection(valkey.url.replace("unix://", "redis+socket://", 1)) as broker:
        return str(app.send_task(name, args=args, connection=broker).id)


@contextmanager
def _running(argv: list[str], env: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = spawn(argv, env=env, output=output.fileno(), cwd=REPOSITORY)
    try:
        yield process
    finally:
        end(process)
