"""``up``, ``status`` and ``down``: a host's servers as processes that outlive the command.

Nothing watches them in between: a server that died is reported by ``status`` and started again by the next ``up``. Where it must come back by itself,
systemd's units are the target.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import msgspec

from inference.fleet.commands import command_of, health_url, router_command
from inference.fleet.errors import BadFleet, FleetFailed
from inference.fleet.keys import read_keys
from inference.fleet.processes import Record, end, exclusive, resident_bytes, start
from inference.fleet.servers import Plan, Process, Server
from inference.processes import wait_until

Say = Callable[[str], None]
_END_WITHIN_S = 60.0
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # model servers stand behind no proxy
_OURS = (
    "LEHIA_",
    "DJANGO_",
    "DATABASE_URL",
    "REDIS_URL",
)  # the site's secrets are no model server's business


class State(StrEnum):
    """``dead``: it was started and has ended since."""

    HEALTHY = "healthy"
    STARTING = "starting"
    DEAD = "dead"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Seen:
    """A server as ``status`` finds it; ``memory_bytes`` of all of its processes together."""

    name: str
    state: State
    url: str
    pid: int | None
    memory_bytes: int | None
    log: Path


class Local:
    """A host's servers of one fleet, known by the records in *folder*.

    Parameters
    ----------
    folder
        Where records, logs and the lock are kept.
    say
        Told of each step.
    """

    def __init__(self, folder: Path, say: Say) -> None:
        self._folder = folder
        self._say = say

    def up(self, plan: Plan, host: str) -> list[Seen]:
        """Start what is not running, in order, and wait until all of it is healthy.

        What runs as the plan says is left alone; what runs otherwise, or is in the plan no more, is ended first.

        Raises
        ------
        FleetFailed
            For a server that ends, or is not healthy in its time; those that are healthy stay up.
        """
        with exclusive(self._folder / "lock"):
            here = plan.on(host)
            self._end_others({each.name for each in here})
            waiting = list(here)
            while waiting:
                started = {each.name for each in waiting}
                now = [each for each in waiting if not started.intersection(each.after)]
                for each in now:
                    self._start(plan, each)
                for each in now:
                    self._wait(each)
                waiting = [each for each in waiting if each not in now]
        return self.status(plan, host)

    def status(self, plan: Plan, host: str) -> list[Seen]:
        """Each server of the host as it is now."""
        return [self._seen(each) for each in plan.on(host)]

    def down(self) -> list[str]:
        """End every server that was started here, the last first, also those that the file no longer names. Returns their names."""
        with exclusive(self._folder / "lock"):
            names = [path.stem for path in sorted(self._records(), key=lambda path: path.stat().st_mtime_ns)]
            return [name for name in reversed(names) if self._end(name)]

    def log(self, name: str) -> Path:
        return self._folder / "logs" / f"{name}.log"

    def _start(self, plan: Plan, each: Process) -> None:
        argv, env = self._command(plan, each)
        digest = hashlib.sha256(json.dumps([argv, sorted(env.items())]).encode()).hexdigest()
        record = self._record(each.name)
        if record is not None and record.is_alive and record.command == digest:
            self._say(f"{each.name} is running")
            return
        if record is not None:
            self._end(each.name)
        _check_free(each)
        self._say(f"starting {each.name} at {each.url}")
        log = self.log(each.name)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        pid = start(argv, inherited | env, log)
        new = Record.of(pid, command=digest, url=each.url)
        if new is None:
            raise FleetFailed(f"{each.name} ended at once; see {log}")
        path = self._folder / "run" / f"{each.name}.json"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.encode(new))

    def _command(self, plan: Plan, each: Process) -> tuple[list[str], dict[str, str]]:
        keys = read_keys(each.host.key_file)
        if not isinstance(each, Server):
            return router_command(each, executable=plan.fleet.targets.router), keys
        home = self._folder / "huggingface"
        (home / "hub").mkdir(parents=True, exist_ok=True)
        found = command_of(each, python=Path(plan.fleet.targets.python), home=home)
        return found.argv, found.env | keys

    def _wait(self, each: Process) -> None:
        record = self._record(each.name)
        within_s = each.model.start_within_s

        def settled() -> bool:
            return record is None or not record.is_alive or is_healthy(each)

        wait_until(settled, within_s=within_s)
        if record is None or not record.is_alive:
            raise FleetFailed(f"{each.name} ended before it was healthy; see {self.log(each.name)}")
        if not is_healthy(each):
            raise FleetFailed(f"{each.name} was not healthy after {within_s:g} s; see {self.log(each.name)}")
        self._say(f"{each.name} is healthy")

    def _seen(self, each: Process) -> Seen:
        record = self._record(each.name)
        if record is None or not record.is_alive:
            state = State.DOWN if record is None else State.DEAD
            return Seen(each.name, state, each.url, None, None, self.log(each.name))
        state = State.HEALTHY if is_healthy(each) else State.STARTING
        memory = resident_bytes(record.pid)
        return Seen(each.name, state, each.url, record.pid, memory, self.log(each.name))

    def _records(self) -> list[Path]:
        return list((self._folder / "run").glob("*.json"))

    def _record(self, name: str) -> Record | None:
        try:
            return msgspec.json.decode((self._folder / "run" / f"{name}.json").read_bytes(), type=Record)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def _end_others(self, names: set[str]) -> None:
        for path in self._records():
            if path.stem not in names:
                self._end(path.stem)

    def _end(self, name: str) -> bool:
        """End a recorded server, or what a dead one left behind, and forget it. Returns whether there was anything to end."""
        record = self._record(name)
        was_running = record is not None and bool(record.family())
        if record is not None and was_running:
            self._say(f"ending {name}")
            if end(record, within_s=_END_WITHIN_S):
                self._say(f"{name} did not end when asked, and was killed")
        (self._folder / "run" / f"{name}.json").unlink(missing_ok=True)
        return was_running


def local_host(plan: Plan, name: str | None) -> str:
    """The host that is meant: the one that is named, or the only one. Raises :class:`BadFleet`."""
    names = [each.name for each in plan.fleet.hosts]
    if name is None and len(names) == 1:
        return names[0]
    if name in names and name is not None:
        return name
    raise BadFleet(f"say which host this is by --host: {', '.join(names)}")


def is_healthy(each: Process) -> bool:
    """Whether it answers its health check now."""
    try:
        with _opener.open(health_url(each), timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _check_free(each: Process) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((each.host.address, each.port))
        except OSError as error:
            raise FleetFailed(
                f"{each.name}: {each.host.address} port {each.port}: {error.strerror}; is another program there, or is this another host?"
            ) from None
