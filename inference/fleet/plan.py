"""From a fleet to its servers: checked, sized, in the order in which they start."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from inference.fleet.checks import check_model, check_ports, check_unique
from inference.fleet.config import Engine, Fleet, Host, Model, Replica
from inference.fleet.errors import BadFleet
from inference.fleet.fitting import check_hosts
from inference.fleet.memory import GIB, Demand, estimate
from inference.fleet.servers import Endpoint, Plan, RouterServer, Server
from inference.fleet.shapes import Shape, rank_of, served_rank, shape_of
from inference.presets import VllmServer

_ON_CPU_GIB = 2.0  # a vLLM process on the CPU without weights and KV cache; 1.5 was measured
_TRANSFORMERS_GIB = 0.5


def plan(fleet: Fleet) -> Plan:
    """Check a fleet and lay out its servers.

    Raises
    ------
    BadFleet
        For names, ports, GPUs or folders that clash or lack; names the place.
    DoesNotFit
        Where memory is too small; says what would fit.
    """
    hosts = {host.name: host for host in fleet.hosts}
    check_unique([host.name for host in fleet.hosts], "hosts")
    names = [name for model in fleet.models for name in (model.name, *(a.name for a in model.adapters))]
    check_unique(names, "models and adapters")
    servers, demands = [], {}
    for index, model in enumerate(fleet.models):
        place = f"models[{index}] ({model.name})"
        check_model(model, hosts, place)
        shape = shape_of(model, fleet, place=place)
        for number, replica in enumerate(model.replicas, 1):
            server, demand = _server(model, replica, number, hosts[replica.host], shape=shape, place=place)
            servers.append(server)
            demands[server.name] = demand
    routers = tuple(_router(model, hosts, servers) for model in fleet.models if model.router)
    check_ports(servers, routers)
    loads = check_hosts(fleet, servers, demands)
    endpoints = tuple(each for model in fleet.models for each in _endpoints(model, hosts))
    return Plan(fleet, _ordered(servers), routers, endpoints, loads)


def _server(
    model: Model, replica: Replica, number: int, host: Host, *, shape: Shape, place: str
) -> tuple[Server, Demand]:
    parallel = max(1, len(replica.gpus))
    if shape.heads % parallel:
        raise BadFleet(
            f"{place}.replicas[{number - 1}].gpus: {shape.heads} attention heads do not split over {parallel} GPUs"
        )
    if shape.max_context and model.context > shape.max_context:
        raise BadFleet(f"{place}.context: the model was made for {shape.max_context} tokens at most")
    ranks = [
        rank_of(each, place=f"{place}.adapters[{index}] ({each.name})")
        for index, each in enumerate(model.adapters)
    ]
    demand = Demand(
        shape=shape,
        n_bytes=model.dtype.n_bytes,
        parallel=parallel,
        sequences=model.sequences,
        context=model.context,
        batched_tokens=model.batched_tokens,
        overhead_bytes=_overhead(model, replica),
        lora_rank=served_rank(ranks) if ranks else 0,
        loras=len(ranks),
    )
    found = estimate(demand)
    kv_gib = None if replica.gpus else max(1, math.ceil(found.kv_cache / GIB))
    server = Server(
        name=model.name if len(model.replicas) == 1 else f"{model.name}-{number}",
        model=model,
        host=host,
        port=replica.port,
        gpus=replica.gpus,
        vllm=_vllm(model, replica, host, demand, kv_gib),
        estimate=found,
        source="config.json" if (Path(model.folder) / "config.json").is_file() else "stated",
    )
    return server, demand


def _overhead(model: Model, replica: Replica) -> int:
    if replica.gpus:
        return int(model.overhead_gib * GIB)
    return int((_ON_CPU_GIB if model.engine is Engine.VLLM else _TRANSFORMERS_GIB) * GIB)


def _vllm(model: Model, replica: Replica, host: Host, demand: Demand, kv_gib: int | None) -> VllmServer:
    template = model.chat_template and str(Path(model.folder) / model.chat_template)
    env = {"CUDA_VISIBLE_DEVICES": ",".join(map(str, replica.gpus))} if replica.gpus else {}
    return VllmServer(
        folder=model.folder,
        names=(model.model_name,),
        host=host.address,
        port=replica.port,
        dtype=model.dtype.value,
        context=model.context,
        sequences=model.sequences,
        batched_tokens=model.batched_tokens,
        parallel=demand.parallel,
        share=model.share if replica.gpus else None,
        cpu_kv_gib=kv_gib,
        chat_template=template,
        adapters=tuple((each.name, each.folder) for each in model.adapters),
        lora_rank=demand.lora_rank,
        flags=model.flags,
        env=env | model.environment,
    )


def _router(model: Model, hosts: dict[str, Host], servers: list[Server]) -> RouterServer:
    router = model.router
    if router is None:
        raise BadFleet(f"{model.name} has no router")
    return RouterServer(
        name=f"{model.name}-router",
        model=model,
        host=hosts[router.host],
        port=router.port,
        metrics_port=router.metrics_port,
        policy=router.policy,
        workers=tuple(each.url for each in servers if each.model is model),
        after=tuple(each.name for each in servers if each.model is model and each.host.name == router.host),
    )


def _ordered(servers: list[Server]) -> tuple[Server, ...]:
    """Each after the last one before it on any of its GPUs: two that start together on one GPU mistake each other's memory for taken."""
    last: dict[tuple[str, int], str] = {}
    depths: dict[str, int] = {}
    found = []
    for server in servers:
        places = [(server.host.name, gpu) for gpu in server.gpus]
        after = tuple(dict.fromkeys(last[place] for place in places if place in last))
        depths[server.name] = 1 + max((depths[name] for name in after), default=0)
        last |= dict.fromkeys(places, server.name)
        found.append(replace(server, after=after))
    return tuple(sorted(found, key=lambda server: depths[server.name]))


def _endpoints(model: Model, hosts: dict[str, Host]) -> list[Endpoint]:
    front = model.router or model.replicas[0]
    host = hosts[front.host]

    def endpoint(code: str, name: str, folder: str, manifest: str | None, *, is_adapter: bool) -> Endpoint:
        return Endpoint(
            code=code,
            model_name=name,
            base_url=f"http://{host.address}:{front.port}/v1",
            manifest=_manifest(folder, manifest),
            engine=model.engine,
            context=model.context,
            sequences=model.sequences * len(model.replicas),
            key_file=host.key_file,
            is_adapter=is_adapter,
        )

    itself = endpoint(model.name, model.model_name, model.folder, model.manifest, is_adapter=False)
    return ([itself] if model.candidate else []) + [
        endpoint(each.name, each.name, each.folder, each.manifest, is_adapter=True) for each in model.adapters
    ]


def _manifest(folder: str, stated: str | None) -> Path | None:
    if stated is not None:
        return Path(stated)
    beside = Path(folder) / "candidate.json"
    return beside if beside.is_file() else None
