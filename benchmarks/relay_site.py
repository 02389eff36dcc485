"""The real site for the relay's benchmark: its database, its Valkey, twenty candidates at the fake model server, and uvicorn as the demo starts it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from arena.embedded.ports import free_port
from arena.embedded.processes import end, spawn
from benchmarks.relay_processes import children_on
from inference.processes import wait_until

CANDIDATES = 20
PLENTY = 30_000
"""Beyond what any run asks of a limit; small integers hold it."""


@dataclass(frozen=True, slots=True)
class Started:
    """A server that answers."""

    who: str
    url: str
    pid: int


@contextmanager
def started(who: str, argv: list[str], *, port: int, cores: set[int], log: Path) -> Iterator[Started]:
    """A child on these cores, from its first answer to the end of the block."""
    from arena.embedded.ports import listens

    with log.open("ab") as output, children_on(cores):
        process = spawn(argv, output=output)
    try:
        ready = wait_until(lambda: process.poll() is not None or listens(port), within_s=60)
        if not ready or process.poll() is not None:
            raise SystemExit(f"{who} did not start:\n{log.read_text(encoding='utf-8')[-2000:]}")
        yield Started(who, f"http://127.0.0.1:{port}", process.pid)
    finally:
        end(process)


@contextmanager
def services(folder: Path, *, upstream: str, cores: set[int], durable: bool) -> Iterator[None]:
    """PostgreSQL and Valkey on *cores*, and a database that holds the campaign and its candidates. Sets Django up."""
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    os.environ |= {"LEHIA_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "arena.settings"}
    os.environ |= {"LEHIA_MODELS": str(folder / "models"), "LEHIA_MODEL_HOSTS": ""}
    os.environ |= {
        "LEHIA_LIMITS_SCALE": "1000",
        "LEHIA_LINES_PER_ADDRESS": "10000",
    }  # all its readers come from here
    import django

    from arena.embedded import paths, postgres, valkey

    with ExitStack() as stack:
        with children_on(cores):
            postgres.start(folder, durable=durable)
            stack.callback(postgres.stop, folder)
            with (folder / "logs" / "valkey.log").open("ab") as output:
                stack.callback(end, spawn(valkey.command(folder), output=output))
        wait_until(lambda: valkey.answers(paths.embedded_valkey_url(folder)), within_s=20)
        django.setup()
        _fill(upstream)
        yield


def _fill(upstream: str) -> None:
    from django.core.management import call_command
    from django.db import connection

    from arena.models import Campaign
    from arena.services.campaigns import ensure_default_campaign
    from inference.models import ModelEndpoint
    from inference.services import add_endpoint
    from inference.types import EndpointHealth, Provider

    call_command("migrate", verbosity=0, stdout=sys.stderr)
    call_command("collectstatic", interactive=False, verbosity=0, stdout=sys.stderr)
    ensure_default_campaign()
    Campaign.objects.update(
        tokens_per_day=2_000_000_000, guest_turns_per_hour=PLENTY, guest_open_battles=PLENTY
    )
    for number in range(CANDIDATES):
        add_endpoint(base_url=upstream, model=f"eredua-{number:02}", provider=Provider.VLLM)
    ModelEndpoint.objects.update(max_in_flight=PLENTY, health=EndpointHealth.LIVE.value)
    connection.close()


def set_display(*, paced: bool) -> None:
    """How the battles that begin from now on are shown."""
    from django.db import connection

    from arena.models import Campaign
    from arena.types import Display

    Campaign.objects.update(display=(Display.PACED if paced else Display.UNPACED).value)
    connection.close()


@contextmanager
def site(folder: Path, *, workers: int, cores: set[int]) -> Iterator[Started]:
    """The site on *cores*: one process by the demo's own command line, or several."""
    from arena.demo.services import Layout, site_service

    layout = Layout(data=folder, models=folder / "models", port=free_port(), model_port=0)
    argv = site_service(layout).argv
    if workers > 1:
        argv = [sys.executable, "-m", "benchmarks.relay_serve", "--port", str(layout.port)]
        argv += ["--workers", str(workers)]
    log = folder / "logs" / f"site-{workers}.log"
    with started("lehia", argv, port=layout.port, cores=cores, log=log) as found:
        yield found
