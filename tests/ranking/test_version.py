"""Which code computed something, wherever it runs."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from ranking.version import code_version

fresh = code_version.__wrapped__


def test_the_version_names_the_release_and_is_asked_for_once() -> None:
    assert code_version().startswith("0.")
    assert code_version() is code_version()


def test_without_git_the_version_is_the_release_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert re.fullmatch(r"0\.[0-9.]+", fresh())


def test_code_that_was_never_installed_has_no_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("ranking.version.version", missing)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert fresh() == "0"
