"""What a plan consists of: servers, routers, the endpoints that they offer, and what they take of each host."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inference.fleet.config import Engine, Fleet, Host, Model
from inference.fleet.memory import Estimate
from inference.presets import VllmServer


@dataclass(frozen=True, slots=True)
class Server:
    """One process that answers for a model and its adapters.

    Parameters
    ----------
    name
        Of the process: the model's, with the replica's number where there are several.
    after
        Servers that must be healthy first: they share a GPU, and vLLM measures what is free there while it starts.
    """

    name: str
    model: Model
    host: Host
    port: int
    gpus: tuple[int, ...]
    vllm: VllmServer
    estimate: Estimate
    source: str
    after: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return f"http://{self.host.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class RouterServer:
    """vllm-router before a model's replicas; it starts after those on its own host."""

    name: str
    model: Model
    host: Host
    port: int
    metrics_port: int
    policy: str
    workers: tuple[str, ...]
    after: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return f"http://{self.host.address}:{self.port}"


Process = Server | RouterServer


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What the site is told: where a candidate answers, and to which name."""

    code: str
    model_name: str
    base_url: str
    manifest: Path | None
    engine: Engine
    context: int
    sequences: int
    key_file: str | None
    is_adapter: bool = False


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked of one GPU, or of a host's main memory where ``gpu`` is ``None``."""

    host: str
    gpu: int | None
    servers: tuple[str, ...]
    share: float
    taken: int
    memory: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that follows from a fleet's file. ``servers`` stand in the order in which they start: first one on each GPU, then those that wait for them."""

    fleet: Fleet
    servers: tuple[Server, ...]
    routers: tuple[RouterServer, ...]
    endpoints: tuple[Endpoint, ...]
    loads: tuple[Load, ...]

    def on(self, host: str) -> tuple[Process, ...]:
        """The processes of one host, in the order in which they start."""
        processes: tuple[Process, ...] = (*self.servers, *self.routers)
        return tuple(each for each in processes if each.host.name == host)
