"""What the tests of this package share."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator, Sequence

import pytest

from inference import gateway
from inference.gateway import Gateway, NoTraffic
from inference.queue import Gate, Terms
from inference.services import traffic
from tests.inference.gates import PATIENT, MakeGate
from tests.inference.gateways import MakeGateway
from tests.inference.scripted import GOOD, Memory, Step, Wire
from tests.valkey import Valkey, running


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


@pytest.fixture
async def make_gate(valkey: Valkey) -> AsyncIterator[MakeGate]:
    made: list[Gate] = []

    def make(url: str | None = valkey.url, terms: Terms = PATIENT) -> Gate:
        made.append(Gate(url, terms))
        return made[-1]

    yield make
    for gate in made:
        await gate.close()


@pytest.fixture
async def make(valkey: Valkey) -> AsyncIterator[MakeGateway]:
    made: list[Gateway] = []

    def make_gateway(
        *scripts: Sequence[Step],
        memory: Memory | None = None,
        pauses: list[float] | None = None,
        terms: Terms | None = None,
    ) -> tuple[Gateway, Wire, Memory]:
        async def sleep(seconds: float) -> None:
            if pauses is not None:
                pauses.append(seconds)
            await asyncio.sleep(0)

        wire, site = Wire(scripts or (GOOD,)), memory or Memory()
        made.append(
            Gateway(
                traffic=site,
                valkey_url=valkey.url,
                source=wire.stream,
                terms=terms,
                rng=random.Random(3),
                sleep=sleep,
            )
        )
        return made[-1], wire, site

    yield make_gateway
    for each in made:
        await each.close()
