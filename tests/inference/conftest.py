"""What the tests of this package share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from inference import gateway
from inference.gateway import NoTraffic
from inference.services import traffic
from tests.inference.valkey import Valkey, running


@pytest.fixture(autouse=True)
def unplugged(request: pytest.FixtureRequest) -> Iterator[None]:
    """Without a database the gateway works for itself."""
    if request.node.get_closest_marker("django_db") is None:
        gateway.plug(NoTraffic(), valkey_url=None)
    yield
    traffic.plug_in()


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    """One for the whole run: tests use endpoints of their own, and leave it running."""
    with running() as server:
        yield server


@pytest.fixture
def mortal_valkey() -> Iterator[Valkey]:
    """One for tests that stop it."""
    with running() as server:
        yield server
