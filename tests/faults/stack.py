"""A whole site of real processes, each in the hand of the test by its pid: killed, hung, told to end, started again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from arena.demo import services
from arena.demo.services import Layout
from arena.embedded import paths, postgres, valkey
from arena.embedded.ports import free_port, listens
from arena.embedded.processes import spawn
from inference.processes import birth, stat, wait_until
from tests.database import REPOSITORY

PATIENCE_S = 120
WEBS = ("web1", "web2")
MODELS = ("models1", "models2", "models3")
PARTS = ("postgres", "valkey", *MODELS, *WEBS, "worker")
"""In the order of a start."""
SCALED = {
    "LEHIA_LEASE_S": "4",
    "LEHIA_LEAVE_GRACE_S": "10",
    "LEHIA_DRAIN_S": "5",
}
"""The deadlines, scaled down."""


def family(pid: int) -> list[int]:
    """A process and its descendants, the eldest first."""
    parents: dict[int, list[int]] = {}
    for each in Path("/proc").iterdir():
        if each.name.isdigit() and (fields := stat(int(each.name))) is not None:
            parents.setdefault(int(fields[1]), []).append(int(each.name))
    found = [pid]
    for one in found:
        found += parents.get(one, [])
    return found


def tell(pids: list[int], sig: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, sig)


@dataclass
class Stack:
    """Parts by name. All of it belongs to the main thread, with which the kernel ends the processes."""

    data: Path
    ports: dict[str, int] = field(default_factory=lambda: {name: free_port() for name in (*MODELS, *WEBS)})
    extra: dict[str, dict[str, str]] = field(default_factory=dict)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    hung: set[str] = field(default_factory=set)

    @property
    def env(self) -> dict[str, str]:
        kept = {
            name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}
        }
        own = {
            "LEHIA_DATA": str(self.data),
            "LEHIA_STAFF_MFA": "0",
            "LEHIA_LOG_LEVEL": "WARNING",
            "OMP_NUM_THREADS": "1",
            "DJANGO_SETTINGS_MODULE": "arena.settings",
        }
        return kept | own | SCALED

    def layout(self, port: int = 0) -> Layout:
        return Layout(data=self.data, models=self.data / "models", port=port, model_port=0)

    def address(self, web: str) -> str:
        return f"http://127.0.0.1:{self.ports[web]}"

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        found = paths.embedded_database(self.data)
        return psycopg.connect(host=found["HOST"], user=found["USER"], dbname=found["NAME"], autocommit=True)

    def rows(self, query: str, *given: object) -> list[tuple[Any, ...]]:
        with self.connect() as connection:
            return connection.execute(query, given).fetchall()

    def manage(self, *arguments: str) -> str:
        """What a command of the site, or a module of these tests, says."""
        done = subprocess.run(
            [sys.executable, *arguments],
            env=self.env,
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout[-2000:]} {done.stderr[-4000:]}"
        return done.stdout

    # a part's life

    def start(self, name: str) -> None:
        """Begin; PostgreSQL is waited for, which does its recovery first."""
        self.hung.discard(name)
        if name == "postgres":
            with _environment(self.extra.get(name, {})):
                postgres.start(self.data)
            self.running[name] = postgres._started[-1]
            return
        (self.data / "logs").mkdir(exist_ok=True)
        with (self.data / "logs" / f"{name}.log").open("ab") as log:
            argv, env = self._command(name)
            env = {**self.env, **env, **self.extra.get(name, {})}
            self.running[name] = spawn(argv, env=env, output=log, cwd=REPOSITORY)

    def up(self, *names: str) -> None:
        """Start what does not run, and wait until all of it is ready."""
        names = names or PARTS
        for name in names:
            self.thaw(name)
            if not self.runs(name):
                self.start(name)
        for name in names:
            assert wait_until(lambda: self.ready(name), within_s=PATIENCE_S), self.log(name)  # noqa: B023

    def runs(self, name: str) -> bool:
        process = self.running.get(name)
        return process is not None and process.poll() is None

    def ready(self, name: str) -> bool:
        if name == "postgres":
            return postgres.is_running(self.data)
        if name == "valkey":
            return valkey.answers(paths.embedded_valkey_url(self.data))
        if name == "worker":
            return any((self.data / "run").glob("beat-schedule*"))
        path = "/readyz" if name in WEBS else "/health"
        return listens(self.ports[name]) and _answers(f"http://127.0.0.1:{self.ports[name]}{path}")

    def pids(self, name: str) -> list[int]:
        return family(self.running[name].pid)

    def kill(self, *names: str) -> None:
        """With -9, all of its processes; gone when this returns."""
        every = [pid for name in names for pid in self.pids(name)]
        born = {pid: birth(pid) for pid in every}
        tell(every, signal.SIGKILL)
        for name in names:
            self.running[name].wait()
            self.hung.discard(name)
        assert wait_until(
            lambda: all(born[pid] is None or birth(pid) != born[pid] for pid in every), within_s=PATIENCE_S
        )

    def hang(self, name: str) -> None:
        """Stop all of its processes; their sockets stay open."""
        self.hung.add(name)
        tell(self.pids(name), signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        if name in self.hung:
            self.hung.discard(name)
            tell(self.pids(name), signal.SIGCONT)

    def forget_valkey(self) -> None:
        """What a killed Valkey kept goes."""
        shutil.rmtree(paths.valkey_data(self.data))

    def terminate(self, name: str) -> int:
        """SIGTERM, and the time it takes; its exit status."""
        self.running[name].send_signal(signal.SIGTERM)
        return self.running[name].wait(PATIENCE_S)

    def stop(self) -> None:
        for name in list(self.running):
            self.thaw(name)
            if self.runs(name):
                self.kill(name)

    def log(self, name: str) -> str:
        return (self.data / "logs" / f"{name}.log").read_text(errors="replace")[-4000:]

    def _command(self, name: str) -> tuple[list[str], Mapping[str, str]]:
        if name in MODELS:
            return [sys.executable, "-m", "tests.faults.said", str(self.ports[name])], {}
        if name == "valkey":
            return valkey.command(self.data), {}
        if name not in WEBS:
            worker = services.worker_service(self.layout())
            return worker.argv, {**worker.env, **SCALED}
        site = services.site_service(self.layout(self.ports[name]))
        return site.argv, {**site.env, **SCALED, "LEHIA_DB_SILENT_S": "3"}


@contextmanager
def _environment(more: Mapping[str, str]) -> Iterator[None]:
    """For children that take this process's own."""
    before = dict(os.environ)
    os.environ.update(more)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def whole_site(data: Path | None = None, also: Callable[[Stack], None] = lambda _: None) -> Iterator[Stack]:
    """A site with its schema and its people, everything running."""
    folder = data or Path(tempfile.mkdtemp(prefix="lehia-faults-"))
    folder.chmod(0o711)
    stack = Stack(folder)
    services.begin_figures(stack.layout())
    try:
        stack.start("postgres")
        stack.manage("manage.py", "migrate", "--verbosity", "0")
        stack.manage("manage.py", "collectstatic", "--no-input", "--verbosity", "0")
        also(stack)
        stack.up()
        yield stack
    finally:
        stack.stop()
        if not os.environ.get("LEHIA_FAULTS_KEEP"):
            shutil.rmtree(folder, ignore_errors=True)
