"""A real Valkey that a test may stop, freeze and start again."""

from __future__ import annotations

import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from arena.embedded import paths, valkey
from arena.embedded.processes import end, spawn, wait_until


class Valkey:
    def __init__(self, data: Path) -> None:
        self._data = data
        self.url = paths.embedded_valkey_url(data)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = spawn(valkey.command(self._data), output=subprocess.DEVNULL)
        assert wait_until(lambda: valkey.answers(self.url), within_s=10)

    def stop(self) -> None:
        if self._process is not None:
            self.thaw()
            end(self._process)
            self._process = None

    def freeze(self) -> None:
        """It keeps its connections and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@contextmanager
def running() -> Iterator[Valkey]:
    with tempfile.TemporaryDirectory(prefix="lehia-v-") as folder:
        server = Valkey(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()
