"""The demo's services: how each is started and when it is ready."""

from __future__ import annotations

import os
import shutil
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from arena.embedded import paths, valkey
from arena.embedded.ports import listens
from arena.embedded.supervisor import Service
from inference.fleet.config import Engine
from inference.presets import transformers_serve_command


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a demo lives and listens, and what serves its candidates."""

    data: Path
    models: Path
    port: int
    model_port: int
    engine: Engine = Engine.TRANSFORMERS

    @property
    def env(self) -> dict[str, str]:
        return {
            "LEHIA_DATA": str(self.data),
            "LEHIA_DRAIN_S": "3",  # whoever ends the demo waits
            "DJANGO_SETTINGS_MODULE": "arena.settings",
            "PYTHONUNBUFFERED": "1",
            "PROMETHEUS_MULTIPROC_DIR": str(self.data / "run" / "metrics"),  # /metrics tells the worker's too
            "LEHIA_LOG_FORMAT": os.environ.get("LEHIA_LOG_FORMAT", "lines"),
            # it listens on loopback alone, and its password is printed for whoever sits there
            "LEHIA_STAFF_MFA": os.environ.get("LEHIA_STAFF_MFA", "0"),
        }

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def model_server(self) -> str:
        return f"http://127.0.0.1:{self.model_port}/v1"


def valkey_service(layout: Layout) -> Service:
    url = paths.embedded_valkey_url(layout.data)
    return Service("valkey", valkey.command(layout.data), lambda: valkey.answers(url))


def model_service(layout: Layout) -> Service:
    command = transformers_serve_command(
        python=Path(sys.executable), port=layout.model_port, home=layout.data / "hf"
    )
    health = f"http://127.0.0.1:{layout.model_port}/health"
    return Service("models", command.argv, lambda: _ok(health), env=command.env, within_s=120)


def begin_figures(layout: Layout) -> None:
    """Counts of the last start are gone; to be called before a process counts."""
    folder = Path(layout.env["PROMETHEUS_MULTIPROC_DIR"])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def worker_service(layout: Layout) -> Service:
    schedule = layout.data / "run" / "beat-schedule"
    for old in schedule.parent.glob(f"{schedule.name}*"):
        old.unlink()
    argv = [
        *(sys.executable, "-m", "celery", "-A", "arena.celery", "--quiet", "worker", "--beat"),
        *("--pool", "threads", "--concurrency", "2", "--loglevel", "WARNING"),
        *("--schedule", str(schedule), "--without-gossip", "--without-mingle"),
    ]
    return Service("worker", argv, lambda: any(schedule.parent.glob(f"{schedule.name}*")), env=layout.env)


def site_service(layout: Layout) -> Service:
    argv = [
        *(sys.executable, "-m", "arena.serve", "--port", str(layout.port)),
    ]
    health = f"{layout.address}/readyz"
    return Service("site", argv, lambda: listens(layout.port) and _ok(health), env=layout.env)


def _ok(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  # our own loopback address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
