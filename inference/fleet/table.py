"""A plan as people read it."""

from __future__ import annotations

from collections.abc import Sequence

from inference.fleet.memory import GIB
from inference.fleet.servers import Load, Plan, RouterServer, Server

_HEAD = ("server", "host", "GPU", "port", "weights", "KV", "act.", "over.", "needs", "has", "waits for")
_NUMBERS = range(3, 10)


def plan_table(plan: Plan) -> str:
    """Servers with their memory on each GPU in GiB, routers, and what each GPU and each host's main memory is asked for."""
    parts = [aligned([_HEAD, *(_server(each) for each in plan.servers)], right=_NUMBERS)]
    if plan.routers:
        rows = [("router", "host", "port", "policy", "replicas"), *(_router(each) for each in plan.routers)]
        parts.append(aligned(rows, right=(2,)))
    used = [each for each in plan.loads if each.servers]
    rows = [("memory", "share", "needs", "has", "servers"), *(_load(each) for each in used)]
    parts.append(aligned(rows, right=(1, 2, 3)))
    return "\n".join(parts)


def _server(server: Server) -> tuple[str, ...]:
    found = server.estimate
    memory = server.host.gpu_memory_gib
    sizes = (found.weights, found.kv_cache, found.activations, found.overhead, found.total)
    return (
        server.name,
        server.host.name,
        ",".join(map(str, server.gpus)) or "CPU",
        str(server.port),
        *(f"{each / GIB:.1f}" for each in sizes),
        f"{memory * server.model.share:.1f}" if server.gpus and memory else "-",
        ", ".join(server.after) or "-",
    )


def _router(router: RouterServer) -> tuple[str, ...]:
    return (router.name, router.host.name, str(router.port), router.policy, " ".join(router.workers))


def _load(load: Load) -> tuple[str, ...]:
    return (
        f"{load.host} {'main memory' if load.gpu is None else f'GPU {load.gpu}'}",
        "-" if load.gpu is None else f"{load.share:.2f}",
        f"{load.taken / GIB:.1f}",
        "-" if load.memory is None else f"{load.memory / GIB:.1f}",
        " ".join(load.servers),
    )


def aligned(rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    """Rows as columns; those in *right* are numbers."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines) + "\n"
