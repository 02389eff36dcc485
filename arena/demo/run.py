"""The demo from first start to Ctrl-C."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management import call_command

from arena.demo import models, seed, services
from arena.demo.services import Layout
from arena.embedded import postgres
from arena.embedded.lock import exclusive
from arena.embedded.ports import check_free, kept_port
from arena.embedded.supervisor import Supervisor, end_leftovers
from inference.fleet.config import Engine


def layout_for(*, port: int, engine: Engine = Engine.TRANSFORMERS) -> Layout:
    """The layout of this process's settings. Models may live elsewhere: ``LEHIA_MODELS``."""
    data = settings.LEHIA_DATA
    return Layout(
        data=data,
        models=settings.LEHIA_MODELS,
        port=port,
        model_port=kept_port(data / "run" / "model-server.port"),
        engine=engine,
    )


@contextmanager
def site_up(layout: Layout, supervisor: Supervisor) -> Iterator[None]:
    """The whole stack for the length of a block; everything is stopped afterwards, also after a failed start."""
    check_free(layout.port)
    with exclusive(layout.data / "locks" / "demo", within_s=5):
        for name in end_leftovers(layout.data):
            supervisor.say(f"ended {name}, left over from a start that was killed")
        models.stop(layout, supervisor)
        started_cluster = False
        try:
            if settings.LEHIA_EMBEDDED_POSTGRES:
                started_cluster = postgres.start(layout.data)
                supervisor.say("database is ready")
            _bring_up(layout, supervisor)
            yield
        finally:
            supervisor.stop()
            models.stop(layout, supervisor)
            if started_cluster:
                postgres.stop(layout.data)


def run(layout: Layout) -> int:
    """Serve until Ctrl-C or SIGTERM; 1 if a service ended by itself."""
    supervisor = Supervisor(layout.data)
    _log_aside(layout)
    stop = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: stop.set())
    with site_up(layout, supervisor):
        supervisor.say(f"\nLehia is at {layout.address}/  (Ctrl-C stops it)\n")
        ended = supervisor.watch(stop)
        if ended:
            supervisor.say(f"{ended} ended by itself; stopping. See {layout.data / 'logs'}")
    return 1 if ended else 0


def _log_aside(layout: Layout) -> None:
    """The terminal shows how far the start is; what this process logs goes to a file beside the services' log."""
    root = logging.getLogger()
    for handler in root.handlers[:]:
        root.removeHandler(handler)
    root.addHandler(logging.FileHandler(layout.data / "logs" / "start.log"))


def _bring_up(layout: Layout, supervisor: Supervisor) -> None:
    """Start what takes long first, wait for each where it is needed."""
    seed.prepare()
    wanted = seed.needs_small_candidates(layout.models)
    if not wanted:
        supervisor.say("candidates are served elsewhere; no model server is started here")
    model_server = models.start(layout, supervisor) if wanted else None
    if settings.LEHIA_EMBEDDED_VALKEY:
        valkey = services.valkey_service(layout)
        supervisor.start(valkey)
        supervisor.wait_ready(valkey)
    call_command("collectstatic", interactive=False, verbosity=0, stdout=sys.stderr)
    if wanted:
        models.register(layout, supervisor, model_server)
    password = seed.finish()
    if password:
        supervisor.say(f"staff: admin / {password}  (printed once; change it in {layout.address}/admin/)")
    services.begin_figures(layout)
    worker, site = services.worker_service(layout), services.site_service(layout)
    supervisor.start(worker)
    supervisor.start(site)
    supervisor.wait_ready(site)
    supervisor.wait_ready(worker)


def fresh_process_environment(data: str) -> dict[str, str]:
    """For a child that is to use another data folder than ours."""
    elsewhere = {"DATABASE_URL", "DATABASE_URL_FILE", "REDIS_URL", "REDIS_URL_FILE"}
    kept = {name: value for name, value in os.environ.items() if name not in elsewhere}
    return kept | {"LEHIA_DATA": data, "LEHIA_MODELS": str(settings.LEHIA_MODELS)}
