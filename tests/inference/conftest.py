"""What the tests of this package share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from inference import gateway
from inference.gateway import NoTraffic
from inference.services import traffic


@pytest.fixture(autouse=True)
def unplugged(request: pytest.FixtureRequest) -> Iterator[None]:
    """Without a database the gateway works for itself."""
    if request.node.get_closest_marker("django_db") is None:
        gateway.plug(NoTraffic(), valkey_url=None)
    yield
    traffic.plug_in()
