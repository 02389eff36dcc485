"""A real ``transformers serve``, started by our own preset, on candidates that training made."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from inference.presets import transformers_serve_command


@dataclass(frozen=True)
class Server:
    base_url: str
    models: tuple[Path, ...]

    @property
    def unsure(self) -> str:
        """The candidate that never saw a chat: it knows no answer by heart, so that chance shows in what it writes."""
        return str(next(path for path in self.models if path.name == "txiki_100"))


@contextmanager
def serving(models: tuple[Path, ...], home: Path) -> Iterator[Server]:
    """The server on a free port, for the length of a block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = transformers_serve_command(python=Path(sys.executable), port=port, home=home)
    process = subprocess.Popen(
        command.argv,
        env=os.environ | command.env,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    with process:  # closes the pipe
        try:
            drain = _wait_until_ready(process)
            yield Server(f"http://127.0.0.1:{port}/v1", models)
        finally:
            process.terminate()
        drain.join(30)


def _wait_until_ready(process: subprocess.Popen[str]) -> threading.Thread:
    """Read the server's log until it listens; go on emptying the pipe, or the server would block on it."""
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line)
        if "Uvicorn running" in line:
            drain = threading.Thread(target=process.stderr.read, daemon=True)
            drain.start()
            return drain
    pytest.fail("transformers serve did not start:\n" + "".join(seen))
