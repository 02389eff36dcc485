"""Fixtures that every package's tests may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection, transaction
from django.test import TransactionTestCase
from whitenoise.base import WhiteNoise
from whitenoise.responders import Redirect, StaticFile
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from tests.database import REPOSITORY
from tests.model_server import Server, serving

KEPT = {"django_content_type", "auth_permission", "django_migrations"}
FOUR = ("txiki_010", "txiki_011", "txiki_100", "txiki_110")

# busy machines are slow machines: no test asserts a time
hypothesis.settings.register_profile("lehia", deadline=None)
hypothesis.settings.load_profile("lehia")


class _WithBrowsersTogether(LoadFileScheduling):  # type: ignore[misc]  # xdist ships no types
    """By files, whose fixtures are dear; all tests of browsers by one process, as the site that they share is dearest."""

    def _split_scope(self, nodeid: str) -> str:
        return "tests/browser" if nodeid.startswith("tests/browser/") else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    return _WithBrowsersTogether(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session", autouse=True)
def static_files() -> None:
    """Pages name their static files by hash, so these are collected first."""
    from django.core.management import call_command

    call_command("collectstatic", interactive=False, verbosity=0)


@pytest.fixture(scope="session", autouse=True)
def static_files_read_once(static_files: None) -> Iterator[None]:
    """Each client's middleware reads all of them anew; here it is told what the first one found in a folder."""
    read = WhiteNoise.update_files_dictionary
    found: dict[tuple[str, str], dict[str, StaticFile | Redirect]] = {}

    def told(self: WhiteNoise, root: str, prefix: str) -> None:
        if (root, prefix) not in found:
            others, self.files = self.files, {}
            read(self, root, prefix)
            found[root, prefix], self.files = self.files, others
        self.files.update(found[root, prefix])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoise, "update_files_dictionary", told)
        yield


@pytest.fixture(scope="session", autouse=True)
def passwords_hashed_quickly() -> Iterator[None]:
    """A hash that is dear to guess is dear to make: here by Argon2 too, and cheaply."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("time_cost", 1), ("memory_cost", 8), ("parallelism", 1)):
            patch.setattr(Argon2PasswordHasher, name, value)
        yield


@pytest.fixture(scope="session", autouse=True)
def emptied_quickly() -> None:
    """After a test that commits Django makes every table anew and asks all models for their permissions. Here rows go from where there are some."""
    TransactionTestCase._fixture_teardown = _empty  # type: ignore[attr-defined]  # see above


def _empty(_: TransactionTestCase) -> None:
    names = sorted(set(connection.introspection.django_table_names(only_existing=True)) - KEPT)
    filled = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in names)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # neither order nor triggers matter
        cursor.execute(filled)
        for (name,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {name}")


@pytest.fixture(scope="session", autouse=True)
def read_anew() -> Iterator[None]:
    """A test that changes an endpoint need not wait a second until the next battle knows; nor does what is made once for a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("inference.selectors.pool.FRESH_S", 0.0)
        yield


@pytest.fixture(autouse=True)
def nobody_has_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test before this one counted is gone from the database, and so from memory."""
    monkeypatch.setattr("arena.services.limits._shut", {})


@pytest.fixture(scope="session")
def trained() -> Path:
    """The folder of the four small candidates, trained first where they lack."""
    from training.commands.train import train

    models = Path(os.environ["LEHIA_MODELS"])
    train(FOUR, models, jobs=2)
    return models


@pytest.fixture(scope="session")
def model_server(tmp_path_factory: pytest.TempPathFactory, trained: Path) -> Iterator[Server]:
    """``transformers serve`` on the four; one for the whole run, since it takes seconds to start."""
    with serving(tuple(trained / code for code in FOUR), tmp_path_factory.mktemp("hub")) as server:
        yield server
