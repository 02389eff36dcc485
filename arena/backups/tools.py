"""``pg_dump`` and ``pg_restore`` that fit a server: from the embedded wheel, on ``PATH``, or where Debian puts them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from psycopg.conninfo import make_conninfo

from arena.backups.folders import private
from arena.embedded.postgres import BIN
from arena.errors import BackupRefused

_DEBIAN = Path("/usr/lib/postgresql")
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
_WORDS = 500


@dataclass(frozen=True, slots=True)
class Tool:
    path: Path
    major: int


def fitting(name: str, *, least: int) -> Tool:
    """The oldest one that is not older than *least*, since an older one refuses the server or the file. Raises :class:`BackupRefused`."""
    found = [tool for tool in _all(name) if tool.major >= least]
    if not found:
        there = ", ".join(sorted({str(tool.major) for tool in _all(name)})) or "none"
        raise BackupRefused(
            f"{name} {least} or newer is needed (found: {there}); install PostgreSQL's client of that version, such as postgresql-client-{least}"
        )
    return min(found, key=lambda tool: tool.major)


def _all(name: str) -> Iterator[Tool]:
    places = [BIN / name, *_DEBIAN.glob(f"*/bin/{name}")]
    if on_path := shutil.which(name):
        places.append(Path(on_path))
    for path in places:
        if path.is_file() and (told := _VERSION.search(_output(path, "--version"))):
            yield Tool(path, int(told[1]))


def _output(path: Path, *argv: str) -> str:
    return subprocess.run([path, *argv], capture_output=True, text=True, check=False).stdout


def dump(tool: Tool, database: Mapping[str, str], *, snapshot: str, to: Path, without: str) -> None:
    """Write what an exported snapshot sees, but for the rows of one table. Raises :class:`BackupRefused`."""
    argv = ["--format=custom", f"--snapshot={snapshot}", "--no-owner", "--no-privileges"]
    with private(to) as file:
        _run(tool, [*argv, f"--exclude-table-data={without}"], database, stdout=file.fileno())


def load(tool: Tool, database: Mapping[str, str], *, dumped: Path) -> None:
    """Fill an empty database, or leave it empty. Raises :class:`BackupRefused`."""
    argv = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    _run(tool, [*argv, str(dumped)], database, stdout=subprocess.DEVNULL)


def _run(tool: Tool, argv: list[str], database: Mapping[str, str], *, stdout: int) -> None:
    """The password goes by the environment: others on the machine can read a command line."""
    address = make_conninfo(**{name: value for name, value in database.items() if name != "password"})
    env = {**os.environ, "PGPASSWORD": database.get("password", ""), "LC_ALL": "C"}
    done = subprocess.run(
        [tool.path, *argv, f"--dbname={address}"], env=env, stdout=stdout, stderr=subprocess.PIPE, check=False
    )
    if done.returncode:
        raise BackupRefused(f"{tool.path.name} failed ({done.returncode}): {_said(done.stderr)}")


def _said(stderr: bytes) -> str:
    """Its own lines: those of details and context after them hold rows."""
    lines = stderr.decode(errors="replace").splitlines()
    return "; ".join(line for line in lines if line.startswith("pg_"))[-_WORDS:]
