"""One site for all of the suite, mended after each test, and the seed of everything that is left to chance."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest

from tests.faults.drive import People
from tests.faults.stack import Stack, whole_site


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--seed", type=int, default=None, help="what chance begins from; printed where it is left out"
    )
    parser.addoption("--sequences", type=int, default=50, help="how many random sequences of kills")


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    given: int | None = request.config.getoption("--seed", None)
    found = random.SystemRandom().randrange(10_000) if given is None else given
    print(f"\nseed {found}: make test-faults ARGS='--seed {found}'")
    return found


@pytest.fixture(scope="session")
def site() -> Iterator[Stack]:
    with whole_site() as stack:
        yield stack


@pytest.fixture(scope="session")
def people(site: Stack) -> People:
    return People.of(site)


@pytest.fixture
def stack(site: Stack) -> Iterator[Stack]:
    """The site, whole before and after."""
    site.up()
    yield site
    site.extra.clear()
    site.up()


Report = Callable[..., None]


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Report:
    """Print a line of figures, which ``docs/operations.md`` holds."""

    def say(**figures: object) -> None:
        told = ", ".join(
            f"{name} {value:.1f}" if isinstance(value, float) else f"{name} {value}"
            for name, value in figures.items()
        )
        print(f"\nFIGURE {request.node.name}: {told}", flush=True)

    return say
