"""The checks of what the site is made of can be red."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

KEY = "".join(("AKIA", "Z7QX", "3NVB", "9RTC", "W2LM"))
"""Looks like somebody's; put together here, so that no file holds it."""


def supply(repository: Path, *words: str, **given: str) -> tuple[int, str]:
    """One of the checks; *given* are names of its module and what they are instead."""
    said = "".join(f"supply.{name} = {value}; " for name, value in given.items())
    code = (
        f"import sys; sys.path.insert(0, '.ci'); import supply; {said}"
        f"sys.exit(supply.CHECKS[{words[0]!r}](*{list(words[1:])!r}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_a_key_that_was_left_in_a_file_is_found(repository: Path, tmp_path: Path) -> None:
    left = tmp_path / "settings.py"
    left.write_text("REGION = 'eu'\n")
    assert supply(repository, "secrets", str(left))[0] == 0
    left.write_text(f"REGION = 'eu'\naws_access_key_id = '{KEY}'\n")
    status, said = supply(repository, "secrets", str(left))
    assert status == 1
    assert "settings.py:2" in said


def test_a_licence_that_is_not_allowed_is_found(repository: Path) -> None:
    status, said = supply(repository, "licences", BESIDE="()")
    assert status == 1
    assert "djlint" in said


def test_where_no_service_knows_weaknesses_that_is_said_and_is_no_success(repository: Path) -> None:
    status, said = supply(repository, "weaknesses", CANARY="'lehia-is-not-there==1'")
    assert status == 75
    assert "no service" in said


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("written['components'][0].update(type='besterik')", "besterik"),
        ("written['components'][0].update(version='0.0.0')", "0.0.0, pinned"),
        ("written['components'].pop(0)", "is missing"),
    ],
)
def test_a_bill_that_is_wrong_is_found(repository: Path, change: str, told: str) -> None:
    code = (
        "import sys; sys.path.insert(0, '.ci'); import supply; pins = supply.pinned();"
        "found = {each.name: each.version for each in supply.distributions()};"  # the site itself is found twice
        "here = [{'type': 'library', 'name': name, 'version': version} for name, version in found.items()];"
        "here.sort(key=lambda each: each['name'] not in pins);"
        "written = {'bomFormat': 'CycloneDX', 'specVersion': '1.6', 'components': here};"
        "assert not supply._mistakes(written), supply._mistakes(written);"
        f"{change};"
        "print(supply._mistakes(written), supply._unlike(written))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=False
    )
    assert told in done.stdout, done.stderr
