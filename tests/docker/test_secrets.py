"""The secrets of a new site."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from cryptography.fernet import Fernet

from arena.safety import LEAST_KEY
from docker.make_secrets import made


def run(repository: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "docker/make_secrets.py", str(folder)]
    return subprocess.run(argv, cwd=repository, capture_output=True, text=True, check=False)


def test_they_are_made_once(repository: Path, tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    assert run(repository, folder).returncode == 0
    first = {path.name: path.read_text() for path in folder.iterdir()}
    again = run(repository, folder)
    assert (again.returncode, "nothing was written" in again.stderr) == (1, True)
    assert {path.name: path.read_text() for path in folder.iterdir()} == first
    assert folder.stat().st_mode & 0o777 == 0o700


def test_no_two_sites_share_one_and_the_site_takes_them() -> None:
    one, other = (made(database="db:5432", jobs="jobs:6379") for _ in range(2))
    assert {name for name in one if one[name] == other[name]} == {"email_url"}
    assert len(one["secret_key"]) >= LEAST_KEY
    Fernet(one["field_keys"])
    assert one["postgres_password"] in one["database_url"]
    password = one["redis_url"].split(":")[2].split("@")[0]
    assert f">{password} " in one["valkey_acl"]
