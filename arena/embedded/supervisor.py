"""One process that owns all the others: ordered start, one prefixed log, one clean end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TextIO

from arena.embedded.errors import StartFailed
from arena.embedded.processes import end, spawn
from inference.processes import birth, wait_until


@dataclass(frozen=True, slots=True)
class Service:
    """A child: how it is started, when it is ready, how long it may take to get there."""

    name: str
    argv: list[str]
    ready: Callable[[], bool]
    env: Mapping[str, str] = field(default_factory=dict)
    within_s: float = 60


class Supervisor:
    """Starts services in order, ends them in the opposite order. Use it from the main thread: children end with it."""

    def __init__(self, data: Path, *, echo: TextIO = sys.stderr) -> None:
        self._records = data / "run" / "children"
        self._log_path = data / "logs" / "lehia.log"
        self._log_path.parent.mkdir(parents=True, exist_ok=True)
        self._log: IO[bytes] = self._log_path.open("ab")
        self._echo = echo
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._pumps: list[threading.Thread] = []

    def start(self, service: Service) -> None:
        """Start a service without waiting for it."""
        process = spawn(service.argv, env=service.env, output=subprocess.PIPE)
        self._children[service.name] = process
        self._record(service.name, process.pid)
        pump = threading.Thread(target=self._pump, args=(service.name, process.stdout), daemon=True)
        pump.start()
        self._pumps.append(pump)

    def wait_ready(self, service: Service) -> None:
        """Wait until a started service answers. Raises ``StartFailed`` with the place of the log."""
        process = self._children[service.name]
        began = time.monotonic()
        wait_until(
            lambda: process.poll() is not None or service.ready(), within_s=service.within_s, step_s=0.05
        )
        if process.poll() is not None:
            raise StartFailed(f"{service.name} ended with status {process.returncode}; see {self._log_path}")
        if not service.ready():
            raise StartFailed(
                f"{service.name} was not ready after {service.within_s:.0f} s; see {self._log_path}"
            )
        self.say(f"{service.name} is ready ({time.monotonic() - began:.1f} s)")

    def say(self, text: str) -> None:
        print(text, file=self._echo, flush=True)  # the operator's terminal

    def watch(self, stop: threading.Event) -> str | None:
        """Wait until *stop* is set, or a child ends by itself: then its name."""
        while not stop.wait(0.5):
            for name, process in self._children.items():
                if process.poll() is not None:
                    return name
        return None

    def stop(self) -> None:
        """End all children, the last started first. Safe to call twice."""
        for name, process in reversed(list(self._children.items())):
            end(process)
            (self._records / name).unlink(missing_ok=True)
            del self._children[name]
        for pump in self._pumps:
            pump.join(timeout=5)
        self._pumps.clear()
        self._log.close()

    def _pump(self, name: str, output: IO[bytes] | None) -> None:
        prefix = f"{name:<9}| ".encode()
        with output or open(os.devnull, "rb") as lines:  # noqa: PTH123  # a pipe is always there
            for line in lines:
                self._log.write(prefix + line)
                self._log.flush()

    def _record(self, name: str, pid: int) -> None:
        self._records.mkdir(parents=True, exist_ok=True)
        (self._records / name).write_text(json.dumps({"pid": pid, "birth": birth(pid)}))


def end_leftovers(data: Path) -> list[str]:
    """End children of a supervisor that was killed before, and only those: pid and birth must both match. Returns their names."""
    ended = []
    for path in sorted((data / "run" / "children").glob("*")):
        record = json.loads(path.read_text() or "{}")
        pid, born = record.get("pid"), record.get("birth")
        if pid and born and birth(pid) == born:
            os.kill(pid, signal.SIGTERM)
            if not wait_until(lambda pid=pid, born=born: birth(pid) != born, within_s=10):  # type: ignore[misc]
                os.kill(pid, signal.SIGKILL)
            ended.append(path.name)
        path.unlink(missing_ok=True)
    return ended
