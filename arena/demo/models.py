"""What serves the demo's candidates: one ``transformers serve``, or a fleet of vLLM servers, one a candidate."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings

from arena.demo import seed, services
from arena.demo.services import Layout
from arena.embedded.errors import StartFailed
from arena.embedded.ports import kept_port
from arena.embedded.supervisor import Service, Supervisor
from inference.fleet.config import DType, Engine, Fleet, Host, Model, Replica, Targets
from inference.fleet.errors import FleetError
from inference.fleet.local import Local
from inference.fleet.memory import GIB
from inference.fleet.plan import plan
from inference.services.fleet import register_fleet

RECIPES = ("txiki_010", "txiki_011", "txiki_100", "txiki_110")
NAMES = {Engine.TRANSFORMERS: "embedded", Engine.VLLM: "vllm"}  # what MODELS and --models call them
_HERE = "here"


def train_missing(layout: Layout) -> None:
    """Train the candidates that lack or whose recipe has changed; two processes of one thread each."""
    command = [sys.executable, "-m", "training", "train", *RECIPES, "--models", str(layout.models)]
    if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:
        raise StartFailed("training failed; its messages are above")


def start(layout: Layout, supervisor: Supervisor) -> Service | None:
    """The small candidates, trained where they lack, and ``transformers serve`` on its way up.

    vLLM's servers are no children of the supervisor: :func:`register` starts them, and waits.
    """
    if layout.engine is Engine.VLLM and not vllm_python().exists():
        raise StartFailed(f"vLLM is not installed ({vllm_python()} lacks); make demo MODELS=vllm installs it")
    train_missing(layout)
    if layout.engine is Engine.VLLM:
        return None
    model_server = services.model_service(layout)
    supervisor.start(model_server)
    return model_server


def register(layout: Layout, supervisor: Supervisor, model_server: Service | None) -> None:
    """Wait until the candidates are served, and tell the site where. Raises ``StartFailed``."""
    if model_server:
        supervisor.wait_ready(model_server)
        seed.register(models=layout.models, model_server=layout.model_server)
        return
    try:
        found = plan(fleet_for(layout))
        supervisor.say("vLLM takes a minute or two to start")
        Local(folder(layout), supervisor.say).up(found, _HERE)
    except FleetError as error:
        raise StartFailed(str(error)) from None
    register_fleet(endpoints=found.endpoints, keys={})


def stop(layout: Layout, supervisor: Supervisor) -> None:
    """End vLLM's servers, also those of a demo that was killed."""
    Local(folder(layout), supervisor.say).down()


def folder(layout: Layout) -> Path:
    return layout.data / "fleet" / "demo"


def fleet_for(layout: Layout) -> Fleet:
    """A server a candidate, on the CPU, as weights of its size want it: not compiled, in the precision they were trained in."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Fleet(
        fleet="demo",
        hosts=(Host(name=_HERE, memory_gib=memory / GIB),),
        models=tuple(_model(layout, code) for code in RECIPES),
        targets=Targets(python=str(vllm_python())),
    )


def _model(layout: Layout, code: str) -> Model:
    path = (layout.models / code).resolve()
    port = kept_port(layout.data / "run" / f"vllm-{code}.port")
    return Model(
        name=code,
        folder=str(path),
        served_as=str(
            path
        ),  # as transformers serve knows it, so that the two kinds of demo can follow each other
        dtype=DType.FLOAT32,
        context=2048,
        sequences=8,
        flags=("--enforce-eager",),
        replicas=(Replica(host=_HERE, port=port),),
    )


def vllm_python() -> Path:
    """The interpreter of the environment that ``make`` installs vLLM into."""
    return settings.BASE_DIR / ".venv-vllm" / "bin" / "python"
