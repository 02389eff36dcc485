"""The command lines of a plan's servers and routers. No key is ever part of one."""

from __future__ import annotations

from pathlib import Path

from inference.fleet.config import Engine
from inference.fleet.servers import Plan, Process, RouterServer, Server
from inference.presets import ServeCommand, transformers_serve_command, vllm_command


def command_of(server: Server, *, python: Path, home: Path) -> ServeCommand:
    """How a server is started as a process of its own.

    Parameters
    ----------
    python
        The interpreter whose environment has the engine.
    home
        A folder for Hugging Face's caches, with ``hub/`` in it, which ``transformers serve`` needs.
    """
    if server.model.engine is Engine.VLLM:
        return vllm_command(server.vllm, python=python)
    found = transformers_serve_command(
        python=python, port=server.port, home=home, host=server.host.address, make_home=False
    )
    return ServeCommand(found.argv, found.env | server.model.environment)


def router_command(router: RouterServer, *, executable: str) -> list[str]:
    """vllm-router's command line: static workers, the site's request ids carried through, and no retries of its own.

    The gateway retries by its own rules and only before the first token; a router that retried as well would multiply both.
    """
    return [
        *(executable, "--host", router.host.address, "--port", str(router.port)),
        *("--worker-urls", *router.workers),
        *("--policy", router.policy, "--disable-retries"),
        *("--request-id-headers", "x-request-id"),
        *("--prometheus-host", router.host.address, "--prometheus-port", str(router.metrics_port)),
        *("--log-level", "warning"),
    ]


def unit_name(plan: Plan, name: str) -> str:
    """What a server's process is called on its host, among those of other fleets."""
    return f"lehia-{plan.fleet.fleet}-{name}"


def health_url(each: Process) -> str:
    return f"{each.url}/health"
