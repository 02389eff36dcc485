"""Fixtures that every package's tests may use."""

from __future__ import annotations

from pathlib import Path

import hypothesis
import pytest

from tests.database import REPOSITORY

# busy machines are slow machines: no test asserts a time
hypothesis.settings.register_profile("lehia", deadline=None)
hypothesis.settings.load_profile("lehia")


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session", autouse=True)
def static_files() -> None:
    """Pages name their static files by hash, so these are collected first."""
    from django.core.management import call_command

    call_command("collectstatic", interactive=False, verbosity=0)
