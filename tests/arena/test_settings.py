"""Settings: read from the environment, documented, and clear about what is wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from arena import env

NAMES = re.compile(r'"((?:LEHIA_[A-Z_]+|DATABASE_URL|REDIS_URL|EMAIL_URL|HF_TOKEN|HF_ENDPOINT|SENTRY_DSN))"')


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
        (lambda: env.one_of("LEHIA_X", ("json", "lines")), "xml", "none of json, lines"),
        (lambda: env.integer("LEHIA_X", 1), "many", "not a whole number"),
        (lambda: env.integer("LEHIA_X", 1, least=5), "4", "less than 5"),
        (lambda: env.networks("LEHIA_X"), "10.0.0.0/33", "10.0.0.0/33"),
        (lambda: env.networks("LEHIA_X"), "10.0.0.1/8", "host bits"),
        (lambda: env.clock_time("LEHIA_X"), "25:00", "use one such as 03:30"),
        (lambda: env.postgres("LEHIA_X"), "sqlite:///x.db", "no other database is supported"),
        (lambda: env.postgres("LEHIA_X"), "postgresql://host", "names no database"),
        (lambda: env.email("LEHIA_X"), "https://mail", "must start with one of console, file, smtp, smtps"),
        (lambda: env.email("LEHIA_X"), "smtp://", "names no host"),
        (lambda: env.email("LEHIA_X"), "smtp://h/?ssl=1", "an option that is not known: ssl"),
        (lambda: env.email("LEHIA_X"), "smtp://h/?tls=maybe", "tls is 1 or 0"),
        (lambda: env.email("LEHIA_X"), "smtp://h/?timeout=soon", "a whole number of seconds"),
    ],
)
def test_a_value_that_cannot_be_used_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, read: object, value: str, says: str
) -> None:
    monkeypatch.setenv("LEHIA_X", value)
    with pytest.raises(env.SettingError, match=f"LEHIA_X.*{says}"):
        read()  # type: ignore[operator]  # one of the lambdas above


def test_any_variable_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    monkeypatch.setenv("LEHIA_X_FILE", str(file))
    file.write_text("a=b\n")
    assert env.text("LEHIA_X") == "a=b"
    file.write_text("17\n")
    assert env.integer("LEHIA_X", 3) == 17
    file.write_text("k1,k2")
    assert env.words("LEHIA_X") == ("k1", "k2")
    file.write_text("postgresql://me:pw@host/lehia\n")
    found = env.postgres("LEHIA_X")
    assert found is not None
    assert (found["NAME"], found["PASSWORD"]) == ("lehia", "pw")


def test_a_file_that_cannot_be_read_and_a_value_given_twice_stop_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LEHIA_X_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(env.SettingError, match=r"LEHIA_X_FILE=.*nowhere cannot be read: FileNotFoundError"):
        env.text("LEHIA_X")
    (tmp_path / "bytes").write_bytes(b"\xffsecret")
    monkeypatch.setenv("LEHIA_X_FILE", str(tmp_path / "bytes"))
    with pytest.raises(env.SettingError, match="UnicodeDecodeError") as raised:
        env.text("LEHIA_X")
    assert "secret" not in str(raised.value).replace(str(tmp_path), "")
    monkeypatch.setenv("LEHIA_X", "1")
    with pytest.raises(env.SettingError, match="LEHIA_X and LEHIA_X_FILE are both set"):
        env.flag("LEHIA_X", default=False)


def test_a_database_address_with_a_password_and_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEHIA_X", "postgresql://me:a%2Fb@/lehia?host=/run/pg&sslmode=disable")
    found = env.postgres("LEHIA_X")
    assert found is not None
    assert (found["USER"], found["PASSWORD"], found["NAME"]) == ("me", "a/b", "lehia")
    assert (found["HOST"], found["PORT"], found["OPTIONS"]) == ("/run/pg", "", {"sslmode": "disable"})


@pytest.mark.parametrize(
    ("address", "port", "starttls", "tls"),
    [
        ("smtp://me:a%2Fb@post.eus/", 587, True, False),
        ("smtp://me:a%2Fb@post.eus:2525/?tls=1", 2525, True, False),
        ("smtp://me:a%2Fb@post.eus/?tls=0", 25, False, False),
        ("smtps://me:a%2Fb@post.eus", 465, False, True),
    ],
)
def test_a_mail_address_says_how_it_is_encrypted(
    monkeypatch: pytest.MonkeyPatch, address: str, port: int, starttls: bool, tls: bool
) -> None:
    monkeypatch.setenv("LEHIA_X", address)
    found = env.email("LEHIA_X")
    assert found is not None
    assert (found["EMAIL_HOST"], found["EMAIL_HOST_USER"], found["EMAIL_HOST_PASSWORD"]) == (
        "post.eus",
        "me",
        "a/b",
    )
    assert (found["EMAIL_PORT"], found["EMAIL_USE_TLS"], found["EMAIL_USE_SSL"]) == (port, starttls, tls)
    assert found["EMAIL_TIMEOUT"] == 10


def test_mail_may_be_files_or_lines_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEHIA_X", raising=False)
    assert env.email("LEHIA_X") is None
    monkeypatch.setenv("LEHIA_X", "file:///var/mail%20out")
    found = env.email("LEHIA_X")
    assert found is not None
    assert found["EMAIL_FILE_PATH"] == "/var/mail out"
    monkeypatch.setenv("LEHIA_X", "console:")
    assert env.email("LEHIA_X") == {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}


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
