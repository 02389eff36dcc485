"""The site as compose.yml runs it: its services' commands, environment, secrets, volumes and limits of writing, on this machine's loopback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from arena.embedded import postgres, valkey
from arena.embedded.ports import free_port, listens
from arena.embedded.processes import end, spawn
from docker.make_secrets import made, write
from inference.processes import wait_until
from tests.docker.edge import Edge, asked
from tests.docker.proxies import proxy
from tests.docker.rehearsal.trees import Tree

COMPOSE = Path(sys.prefix) / "bin" / "docker-compose"
DOMAIN = "lehia.example"
PATIENCE_S = 300.0


def services(repository: Path) -> dict[str, Any]:
    """compose.yml as compose itself understands it."""
    env = os.environ | {"LEHIA_DOMAIN": DOMAIN, "LEHIA_TLS": "internal", "LEHIA_MODEL_HOSTS": ""}
    argv = [str(COMPOSE), "--file", "docker/compose.yml", "config", "--format", "json"]
    done = subprocess.run(argv, cwd=repository, env=env, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)["services"]
    return found


@dataclass
class Stack:
    """Runs services of compose.yml in the image's tree. Their ports are free ones here, and their network is this machine's."""

    tree: Tree
    folder: Path
    known: dict[str, Any]
    overrides: dict[str, str]

    def __post_init__(self) -> None:
        self.ports = {name: free_port() for name in ("postgres", "valkey", "web-1", "web-2")}
        values = made(
            database=f"127.0.0.1:{self.ports['postgres']}", jobs=f"127.0.0.1:{self.ports['valkey']}"
        )
        write(self.folder / "secrets", values)
        (self.folder / "logs").mkdir()

    def argv(self, name: str, command: list[str] | None = None) -> list[str]:
        """A service of ours, or another command in its place, as its part of compose.yml says."""
        service = self.known[name]
        binds = {
            f"/run/secrets/{each['source']}": self.folder / "secrets" / each["source"]
            for each in service.get("secrets", [])
        }
        binds |= {each["target"]: self.volume(each["source"]) for each in service["volumes"]}
        return self.tree.entered(
            command or self.command(name),
            env={**service["environment"], **self.overrides},
            binds=binds,
            scratch=[each.split(":")[0] for each in service["tmpfs"]],
            read_only=service["read_only"],
        )

    def command(self, name: str) -> list[str]:
        if name not in self.ports:
            return list(self.known[name]["command"])
        here = {"0.0.0.0": "127.0.0.1", "8000": str(self.ports[name])}
        return [here.get(word, word) for word in self.tree.command]

    def volume(self, name: str) -> Path:
        """A named volume; empty ones take over what the image has there, its owner first."""
        place = self.folder / "volumes" / name
        if not place.exists():
            place.mkdir(parents=True)
            os.chown(place, 10001, 10001)
        return place

    def once(self, name: str, *command: str) -> str:
        done = subprocess.run(
            self.argv(name, list(command) or None), stdout=subprocess.PIPE, text=True, check=True
        )
        return done.stdout

    def start(self, name: str) -> subprocess.Popen[bytes]:
        with (self.folder / "logs" / name).open("ab") as log:
            return spawn(self.argv(name), output=log)

    def is_ready(self, name: str) -> bool:
        try:
            return asked(f"http://127.0.0.1:{self.ports[name]}/readyz", Host=DOMAIN)[0] == 200
        except OSError:
            return False

    def wait_ready(self, name: str, process: subprocess.Popen[bytes]) -> None:
        assert wait_until(lambda: process.poll() is not None or self.is_ready(name), within_s=PATIENCE_S)
        assert process.poll() is None, (self.folder / "logs" / name).read_text()


@contextmanager
def data_services(stack: Stack) -> Iterator[None]:
    """PostgreSQL and Valkey from wheels, with the options of compose.yml."""
    with ExitStack() as ends:
        folder = stack.folder / "database"
        password = stack.folder / "secrets" / "postgres_password"
        as_user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        folder.mkdir()
        shutil.chown(folder, 65534, 65534)
        readable = folder / "password"
        readable.write_text(password.read_text())
        initdb = [str(postgres.BIN / "initdb"), "--pgdata", str(folder / "pg"), "--username", "lehia"]
        options = stack.known["postgres"]["environment"]["POSTGRES_INITDB_ARGS"].split()
        subprocess.run(
            [*as_user, *initdb, *options, "--encoding=UTF8", f"--pwfile={readable}"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        argv = [
            *(*as_user, str(postgres.BIN / "postgres"), "-D", str(folder / "pg")),
            *stack.known["postgres"]["command"][1:],
            *(
                "-clisten_addresses=127.0.0.1",
                f"-cport={stack.ports['postgres']}",
                f"-cunix_socket_directories={folder}",
            ),
        ]
        with (stack.folder / "logs" / "postgres").open("wb") as log:
            ends.callback(end, spawn(argv, output=log))
        assert wait_until(lambda: listens(stack.ports["postgres"]), within_s=PATIENCE_S)
        make_database(stack)
        jobs = stack.folder / "jobs"
        jobs.mkdir()
        here = {
            "valkey-server": valkey.command(jobs)[0],
            "/data": str(jobs),
            "/run/secrets/valkey_acl": str(stack.folder / "secrets" / "valkey_acl"),
        }
        command = [here.get(word, word) for word in stack.known["valkey"]["command"]]
        with (stack.folder / "logs" / "valkey").open("wb") as log:
            ends.callback(
                end,
                spawn([*command, "--port", str(stack.ports["valkey"]), "--bind", "127.0.0.1"], output=log),
            )
        assert wait_until(lambda: listens(stack.ports["valkey"]), within_s=PATIENCE_S)
        yield


def make_database(stack: Stack) -> None:
    """As PostgreSQL's own image does at its first start."""
    told = psycopg.conninfo.make_conninfo(
        host="127.0.0.1",
        port=stack.ports["postgres"],
        user="lehia",
        password=(stack.folder / "secrets" / "postgres_password").read_text().strip(),
        dbname="postgres",
    )
    assert wait_until(lambda: _answers(told), within_s=PATIENCE_S)
    with psycopg.connect(told, autocommit=True) as connection:
        connection.execute("CREATE DATABASE lehia")


def _answers(told: str) -> bool:
    try:
        psycopg.connect(told).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def front(stack: Stack, repository: Path) -> Iterator[Edge]:
    """The proxy, with the static files that the one-shot service laid out."""
    public = stack.folder / "public"
    public.mkdir()
    (public / "static").symlink_to(stack.volume("static"))
    shutil.copy(repository / "docker" / "down.html", public)
    folder = stack.folder / "proxy"
    folder.mkdir()
    web = " ".join(f"127.0.0.1:{stack.ports[name]}" for name in ("web-1", "web-2"))
    with proxy(
        folder, config=repository / "docker" / "Caddyfile", domain=DOMAIN, web=web, public=public
    ) as edge:
        yield edge
