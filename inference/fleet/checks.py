"""What must hold of a fleet's file beyond its schema: names, hosts, GPUs, ports and folders that fit together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from inference.fleet.config import Engine, Host, Model, Replica
from inference.fleet.errors import BadFleet
from inference.fleet.servers import RouterServer, Server


def check_unique(names: list[str], what: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadFleet(f"{what}: {', '.join(twice)} is there twice; each name stands for one thing")


def check_model(model: Model, hosts: dict[str, Host], place: str) -> None:
    for number, replica in enumerate(model.replicas):
        _check_replica(replica, hosts, f"{place}.replicas[{number}]")
    if model.router and model.router.host not in hosts:
        raise BadFleet(f"{place}.router.host: {model.router.host} is not one of hosts ({', '.join(hosts)})")
    if (len(model.replicas) > 1) != (model.router is not None):
        raise BadFleet(
            f"{place}.router: one address for several replicas takes a router, and one replica takes none"
        )
    if model.engine is Engine.TRANSFORMERS and (
        model.adapters or model.flags or any(each.gpus for each in model.replicas)
    ):
        raise BadFleet(
            f"{place}.engine: transformers serves tiny models on the CPU, without adapters or flags; use vllm"
        )
    template = Path(model.folder) / (model.chat_template or "")
    if Path(model.folder).is_dir() and not template.exists():
        raise BadFleet(
            f"{place}.chat_template: {template} does not exist; name the file, or null for the tokenizer's own"
        )
    _check_adapters(model, place)


def _check_replica(replica: Replica, hosts: dict[str, Host], place: str) -> None:
    host = hosts.get(replica.host)
    if host is None:
        raise BadFleet(f"{place}.host: {replica.host} is not one of hosts ({', '.join(hosts)})")
    beyond = [gpu for gpu in replica.gpus if gpu >= host.gpus]
    if beyond:
        raise BadFleet(
            f"{place}.gpus: {host.name} has {host.gpus} GPUs, counted from 0; there is no {beyond[0]}"
        )
    if len(set(replica.gpus)) < len(replica.gpus):
        raise BadFleet(f"{place}.gpus: a GPU is named twice; tensor parallelism takes different ones")


def _check_adapters(model: Model, place: str) -> None:
    """One server has one chat template: adapters trained with another one would be asked wrongly, and nobody would see it."""
    if model.chat_template is None:
        return
    ours = Path(model.folder) / model.chat_template
    for number, adapter in enumerate(model.adapters):
        theirs = Path(adapter.folder) / model.chat_template
        if ours.is_file() and theirs.is_file() and ours.read_text() != theirs.read_text():
            raise BadFleet(
                f"{place}.adapters[{number}] ({adapter.name}): its chat template is not its backbone's, and a server has "
                "only one; merge the adapter and serve it as a model of its own"
            )


def check_ports(servers: Sequence[Server], routers: Sequence[RouterServer]) -> None:
    """Raises :class:`BadFleet` where two listen on one port of a host."""
    listening = [(each.host.name, each.port, each.name) for each in servers]
    for router in routers:
        listening += [(router.host.name, router.port, router.name)]
        listening += [(router.host.name, router.metrics_port, f"{router.name}'s metrics")]
    taken: dict[tuple[str, int], str] = {}
    for host, port, name in listening:
        other = taken.setdefault((host, port), name)
        if other != name:
            raise BadFleet(
                f"port {port} of {host} is given to {other} and to {name}; choose another for one of them"
            )
