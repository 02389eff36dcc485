"""Fixtures that every package's tests may use."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.database import REPOSITORY


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session", autouse=True)
def static_files() -> None:
    """Pages name their static files by hash, so these are collected first."""
    from django.core.management import call_command

    call_command("collectstatic", interactive=False, verbosity=0)
