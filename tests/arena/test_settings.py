"""Settings: read from the environment, documented, and clear about what is wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from arena import env

NAMES = re.compile(r'"((?:LEHIA_[A-Z_]+|DATABASE_URL|REDIS_URL))"')


def test_every_variable_is_documented_and_none_that_is_not_read(repository: Path) -> None:
    sources = [
        path for package in ("arena", "inference", "ranking") for path in (repository / package).rglob("*.py")
    ]
    read = {name for path in sources for name in NAMES.findall(path.read_text())} - {"LEHIA_CHECK"}
    documented = set(
        re.findall(r"^\| `([A-Z_]+)`", (repository / "docs" / "settings.md").read_text(), re.MULTILINE)
    )
    settings_only = {name for name in read if not name.startswith("LEHIA_EMBEDDED")}
    assert settings_only == documented


def test_words_flags_and_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEHIA_X", " a, b ,,c")
    assert env.words("LEHIA_X") == ("a", "b", "c")
    monkeypatch.setenv("LEHIA_X", "Yes")
    assert env.flag("LEHIA_X", default=False)
    monkeypatch.setenv("LEHIA_X", "0")
    assert not env.flag("LEHIA_X", default=True)
    monkeypatch.setenv("LEHIA_X", "17")
    assert env.integer("LEHIA_X", 3) == 17
    monkeypatch.delenv("LEHIA_X")
    assert env.words("LEHIA_X", ("z",)) == ("z",)
    assert env.flag("LEHIA_X", default=True)
    assert env.integer("LEHIA_X", 3) == 3
    assert env.networks("LEHIA_X") == ()
    assert env.folder("LEHIA_X", Path("/a")) == Path("/a")
    assert env.postgres("LEHIA_X") is None


@pytest.mark.parametrize(
    ("read", "value", "says"),
    [
        (lambda: env.flag("LEHIA_X", default=True), "perhaps", "use 1 or 0"),
        (lambda: env.integer("LEHIA_X", 1), "many", "not a whole number"),
        (lambda: env.integer("LEHIA_X", 1, least=5), "4", "less than 5"),
        (lambda: env.networks("LEHIA_X"), "10.0.0.0/33", "10.0.0.0/33"),
        (lambda: env.networks("LEHIA_X"), "10.0.0.1/8", "host bits"),
        (lambda: env.postgres("LEHIA_X"), "sqlite:///x.db", "no other database is supported"),
        (lambda: env.postgres("LEHIA_X"), "postgresql://host", "names no database"),
    ],
)
def test_a_value_that_cannot_be_used_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, read: object, value: str, says: str
) -> None:
    monkeypatch.setenv("LEHIA_X", value)
    with pytest.raises(env.SettingError, match=f"LEHIA_X.*{says}"):
        read()  # type: ignore[operator]  # one of the lambdas above


def test_a_database_address_with_a_password_and_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEHIA_X", "postgresql://me:a%2Fb@/lehia?host=/run/pg&sslmode=disable")
    found = env.postgres("LEHIA_X")
    assert found is not None
    assert (found["USER"], found["PASSWORD"], found["NAME"]) == ("me", "a/b", "lehia")
    assert (found["HOST"], found["PORT"], found["OPTIONS"]) == ("/run/pg", "", {"sslmode": "disable"})


def test_a_wrong_value_stops_a_command_before_anything_starts(repository: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=repository,
        env={**os.environ, "LEHIA_DATA": str(tmp_path), "DATABASE_URL": "mysql://me@host/lehia"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "DATABASE_URL must start with postgresql://" in done.stderr
    assert {path.name for path in tmp_path.iterdir()} <= {"secrets"}
