"""The command as a process of its own, which can be killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tests.database import REPOSITORY
from tests.training.servers import SmallServer


def run_killed_at(server: SmallServer, arguments: list[str], *, at: tuple[int, ...]) -> int:
    """Run a command until it ends by itself, killing it for good (SIGKILL) as it asks for those of the server's requests.

    Returns how often it was killed.
    """
    victims: list[int] = []

    def kill(number: int) -> None:
        if number in at:
            os.kill(victims[-1], signal.SIGKILL)

    server.on_request = kill
    killed = 0
    while True:
        with subprocess.Popen(
            [sys.executable, "-m", "training", *arguments],
            cwd=REPOSITORY,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            victims.append(process.pid)
            _, log = process.communicate()
        if process.returncode == -signal.SIGKILL:
            killed += 1
            continue
        assert process.returncode == 0, log
        return killed


def outcome_of(folder: Path) -> dict[str, Any]:
    """All that a run left: its results byte by byte, its journals row by row with how often each row stands there."""
    journals = {
        part.relative_to(folder).parent.as_posix(): Counter[str]() for part in folder.glob("*/part-*.jsonl")
    }
    for part in folder.glob("*/part-*.jsonl"):
        rows = part.read_text().splitlines()
        assert all(json.loads(row) for row in rows)
        journals[part.relative_to(folder).parent.as_posix()].update(rows)
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    return {"journals": journals, "files": files}
