"""Whether a fleet's servers fit on its hosts; refusals say what would."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from inference.fleet.config import Fleet, Host
from inference.fleet.errors import DoesNotFit
from inference.fleet.memory import GIB, Demand, alternatives
from inference.fleet.servers import Load, Server

_MOST = 0.95  # of a GPU that one server may take: the driver and the display keep some


def check_hosts(fleet: Fleet, servers: Sequence[Server], demands: Mapping[str, Demand]) -> tuple[Load, ...]:
    """What each GPU and each host's main memory is asked for.

    Raises
    ------
    DoesNotFit
        Where the shares of one GPU add up to 1 or more, a server needs more than its share, or main memory is too small.
    """
    loads: list[Load] = []
    for host in fleet.hosts:
        here = [each for each in servers if each.host.name == host.name]
        loads += [_gpu(host, gpu, here) for gpu in range(host.gpus)]
        for server in here:
            if server.gpus:
                _check_share(host, server, here, demands[server.name])
        on_cpu = [each for each in here if not each.gpus]
        if on_cpu:
            loads.append(_main_memory(host, on_cpu))
    return tuple(loads)


def _gpu(host: Host, gpu: int, servers: Sequence[Server]) -> Load:
    here = [each for each in servers if gpu in each.gpus]
    share = round(sum(each.model.share for each in here), 6)
    if share >= 1:
        listed = ", ".join(f"{each.name} {each.model.share:g}" for each in here)
        fits = int(0.98 / len(here) * 100) / 100
        raise DoesNotFit(
            f"GPU {gpu} of {host.name}: shares add up to {share:g} ({listed}); together they must stay below 1: "
            f"share: {fits:g} for each, or another GPU for one of them"
        )
    memory = None if host.gpu_memory_gib is None else int(host.gpu_memory_gib * GIB)
    taken = sum(each.estimate.total for each in here)
    return Load(host.name, gpu, tuple(each.name for each in here), share, taken, memory)


def _check_share(host: Host, server: Server, servers: Sequence[Server], demand: Demand) -> None:
    if host.gpu_memory_gib is None:
        raise DoesNotFit(
            f"{host.name}: its gpu_memory_gib is not stated, so nothing says that {server.name} fits; "
            "nvidia-smi shows it"
        )
    memory, share = int(host.gpu_memory_gib * GIB), server.model.share
    if server.estimate.total <= int(memory * share):
        return
    others: dict[int, float] = defaultdict(float)
    for each in servers:
        if each.name != server.name:
            for gpu in each.gpus:
                others[gpu] += each.model.share
    free = min(_MOST, 0.99 - max(others[gpu] for gpu in server.gpus))
    found = alternatives(demand, memory=memory, share=share, free_share=free, gpus=host.gpus)
    advice = f"what would fit: {'; or '.join(found)}" if found else _nothing_fits(server)
    raise DoesNotFit(
        f"{server.name} on {host.name}: {described(server)} on each GPU, and its share of {share:g} is "
        f"{share * host.gpu_memory_gib:.1f} GiB; {advice}"
    )


def _nothing_fits(server: Server) -> str:
    return (
        f"its weights alone take {server.estimate.weights / GIB:.1f} GiB on each GPU; no change of one setting makes room on this host. "
        "A model that spans hosts is for Ray Serve or vLLM's own parallelism (docs/fleet.md)"
    )


def described(server: Server) -> str:
    """The server's memory and its parts, in GiB."""
    found = server.estimate
    return (
        f"needs {found.total / GIB:.1f} GiB (weights {found.weights / GIB:.1f}, KV cache {found.kv_cache / GIB:.1f} for "
        f"{server.model.sequences} x {server.model.context} tokens, activations {found.activations / GIB:.1f}, "
        f"overhead {found.overhead / GIB:.1f})"
    )


def _main_memory(host: Host, servers: Sequence[Server]) -> Load:
    taken = sum(each.estimate.total + _rounded_up(each) for each in servers)
    names = tuple(each.name for each in servers)
    memory = None if host.memory_gib is None else int(host.memory_gib * GIB)
    if memory is not None and taken > memory:
        fits, room = 0, memory
        for each in servers:
            room -= each.estimate.total + _rounded_up(each)
            fits += room >= 0
        raise DoesNotFit(
            f"{host.name}: {len(servers)} servers without a GPU need {taken / GIB:.1f} GiB of main memory and there are "
            f"{host.memory_gib:g}; what would fit: the first {fits} of them, or fewer sequences, or a shorter context"
        )
    return Load(host.name, None, names, 0.0, taken, memory)


def _rounded_up(server: Server) -> int:
    """vLLM takes whole GiB for a KV cache in main memory."""
    return (server.vllm.cpu_kv_gib or 0) * GIB - server.estimate.kv_cache
