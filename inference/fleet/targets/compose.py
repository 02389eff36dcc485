"""Compose: a file a host, for containers of vLLM's own image."""

from __future__ import annotations

from typing import Any

from inference.fleet.commands import router_command
from inference.fleet.config import Engine
from inference.fleet.errors import BadFleet
from inference.fleet.servers import Plan, Process, RouterServer, Server
from inference.fleet.targets.dump import dump
from inference.presets import vllm_environment, vllm_options

_INSIDE = "0.0.0.0"  # noqa: S104  # in a container; what is published outside is the host's own address
_ASK = "import urllib.request as r; r.urlopen('http://127.0.0.1:{port}/health', timeout=5)"


def render(plan: Plan) -> dict[str, str]:
    """``HOST/compose.yaml``.

    Raises
    ------
    BadFleet
        For ``transformers serve``, which that image does not have.
    """
    files = {}
    for host in plan.fleet.hosts:
        services = {
            each.name: _server(plan, each) if isinstance(each, Server) else _router(plan, each)
            for each in plan.on(host.name)
        }
        if services:
            text = dump({"name": _project(plan), "services": services})
            files[f"{host.name}/compose.yaml"] = f"# Fleet {plan.fleet.fleet} on {host.name}.\n{text}"
    return files


def _project(plan: Plan) -> str:
    return f"lehia-{plan.fleet.fleet}".lower().replace(".", "-")


def _server(plan: Plan, server: Server) -> dict[str, Any]:
    if server.model.engine is not Engine.VLLM:
        raise BadFleet(f"{server.name}: compose starts vLLM's image; transformers is for local processes")
    targets, model = plan.fleet.targets, server.model
    folders = [model.folder, *(each.folder for each in model.adapters)]
    env = vllm_environment(server.vllm) | model.environment
    found: dict[str, Any] = {
        "image": f"{targets.image}:{targets.tag}",
        # stated, since images differ in it
        "entrypoint": ["python3", "-m", "vllm.entrypoints.openai.api_server"],
        "command": _literal(
            [
                "--model",
                model.folder,
                "--host",
                _INSIDE,
                "--port",
                str(server.port),
                *vllm_options(server.vllm),
            ]
        ),
        "environment": dict(zip(sorted(env), _literal([env[name] for name in sorted(env)]), strict=True)),
        **({"env_file": [server.host.key_file]} if server.host.key_file else {}),
        "ports": [f"{server.host.address}:{server.port}:{server.port}"],
        "volumes": [f"{folder}:{folder}:ro" for folder in dict.fromkeys(folders)],
        "ipc": "host",
        "restart": "unless-stopped",
        "stop_grace_period": "60s",
        "healthcheck": _healthcheck(server.port, int(model.start_within_s)),
    }
    found |= _after(server)
    if server.gpus:
        devices = {
            "driver": "nvidia",
            "device_ids": [str(gpu) for gpu in server.gpus],
            "capabilities": ["gpu"],
        }
        found["deploy"] = {"resources": {"reservations": {"devices": [devices]}}}
    return found


def _router(plan: Plan, router: RouterServer) -> dict[str, Any]:
    argv = router_command(router, executable="vllm-router")
    inside = [_INSIDE if word == router.host.address else word for word in argv]
    return {
        "image": plan.fleet.targets.router_image,
        "entrypoint": inside[:1],
        "command": _literal(inside[1:]),
        "ports": [f"{router.host.address}:{port}:{port}" for port in (router.port, router.metrics_port)],
        "restart": "unless-stopped",
        **_after(router),
    }


def _after(each: Process) -> dict[str, Any]:
    waits = {name: {"condition": "service_healthy"} for name in each.after}
    return {"depends_on": waits} if waits else {}


def _healthcheck(port: int, within_s: int) -> dict[str, Any]:
    return {
        "test": ["CMD", "python3", "-c", _ASK.format(port=port)],
        "interval": "10s",
        "timeout": "6s",
        "retries": 3,
        "start_period": f"{within_s}s",
    }


def _literal(words: list[str]) -> list[str]:
    """``$`` would be read as a variable."""
    return [word.replace("$", "$$") for word in words]
