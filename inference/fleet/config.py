"""``fleet.yaml``: its schema, and how it is read. ``docs/fleet.md`` has an annotated example."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

# Names end up in unit files, job scripts, Kubernetes labels and paths.
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")]
Port = Annotated[int, Meta(ge=1, le=65535)]
Count = Annotated[int, Meta(ge=1)]
Positive = Annotated[float, Meta(gt=0)]
Share = Annotated[float, Meta(gt=0, lt=1)]
Line = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]+$")]
Folder = Annotated[str, Meta(pattern=r"^/[^\x00-\x1f\x7f:]*$", description="an absolute path")]
Variable = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class Engine(StrEnum):
    """``transformers`` is for tiny models on a CPU; everything else is vLLM's."""

    VLLM = "vllm"
    TRANSFORMERS = "transformers"


class DType(StrEnum):
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"
    FLOAT32 = "float32"

    @property
    def n_bytes(self) -> int:
        return 4 if self is DType.FLOAT32 else 2


class Host(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A machine.

    Parameters
    ----------
    name
        Its host name; under Slurm the node's.
    address
        Where the site reaches it; servers listen on that address alone.
    gpus, gpu_memory_gib
        How many, and the memory of each as ``nvidia-smi`` shows it, in GiB.
    memory_gib
        Main memory for servers without a GPU.
    key_file
        A file of ``NAME=value`` lines on that machine with ``VLLM_API_KEY`` and other secrets; none of it is ever put on a command line.
    """

    name: Name
    address: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]+$")] = "127.0.0.1"
    gpus: Annotated[int, Meta(ge=0)] = 0
    gpu_memory_gib: Positive | None = None
    memory_gib: Positive | None = None
    key_file: Folder | None = None


class Architecture(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The shape of a model whose folder is not on the planning machine; names as in ``config.json`` where they are short enough."""

    parameters_billion: Positive
    layers: Count
    hidden: Count
    heads: Count
    kv_heads: Count
    head_dim: Count
    intermediate: Count
    vocab: Count
    max_context: Count | None = None


class Adapter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A LoRA variant that shares its backbone's server; ``rank`` is read from ``adapter_config.json`` where the folder is at hand."""

    name: Name
    folder: Folder
    rank: Count | None = None
    manifest: str | None = None


class Replica(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One server of a model. More than one GPU means tensor parallelism over all of them; none means the CPU."""

    host: Name
    port: Port
    gpus: tuple[Annotated[int, Meta(ge=0)], ...] = ()


class Router(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """vllm-router before a model's replicas; ``metrics_port`` is its Prometheus listener's."""

    host: Name
    port: Port
    metrics_port: Port
    policy: Annotated[
        str, Meta(pattern="^(random|round_robin|cache_aware|power_of_two|consistent_hash)$")
    ] = "cache_aware"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What ``defaults`` may hold for all models, and each model may say otherwise.

    Parameters
    ----------
    architecture
        A key of ``architectures``; needed where the folder is not at hand.
    context
        Most tokens of a chat with its answer: ``--max-model-len``.
    sequences
        Most answers at once, each with its whole context in the KV cache: ``--max-num-seqs``.
    batched_tokens
        Most tokens in one step of the engine; with the logits this sets the peak of activations.
    share
        Of each of its GPUs' memory: ``--gpu-memory-utilization``.
    overhead_gib
        On each GPU for the CUDA context, the graphs and the allocator's slack.
    chat_template
        Relative to the model's folder; ``null`` leaves it to the tokenizer.
    flags
        Further options of the engine.
    environment
        Further variables; secrets belong into the host's ``key_file``.
    candidate
        Whether the model itself is registered, besides its adapters.
    """

    engine: Engine = Engine.VLLM
    architecture: str | None = None
    dtype: DType = DType.BFLOAT16
    context: Count = 8192
    sequences: Count = 16
    batched_tokens: Count = 2048
    share: Share = 0.9
    overhead_gib: Annotated[float, Meta(ge=0)] = 2.0
    chat_template: str | None = "chat_template.jinja"
    flags: tuple[Line, ...] = ()
    environment: dict[Variable, Line] = {}
    candidate: bool = True
    start_within_s: Positive = 900.0


class Model(Settings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A model, its adapters, and where it is served.

    Parameters
    ----------
    name
        The candidate's code.
    served_as
        What requests call it, where that is not its name.
    manifest
        Its ``candidate.json`` on the site's machine; that in the folder where there is one.
    """

    name: Name
    folder: Folder
    replicas: Annotated[tuple[Replica, ...], Meta(min_length=1)]
    served_as: Line | None = None
    adapters: tuple[Adapter, ...] = ()
    router: Router | None = None
    manifest: str | None = None

    @property
    def model_name(self) -> str:
        """What requests call it; ``transformers serve`` knows models by their folders."""
        return self.folder if self.engine is Engine.TRANSFORMERS else self.served_as or self.name


class Slurm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One job a host, on the node of its name."""

    partition: Line | None = None
    account: Line | None = None
    time: Annotated[str, Meta(pattern=r"^(\d+-)?\d{1,2}:\d{2}:\d{2}$")] | None = None
    cpus: Count | None = None
    options: tuple[Annotated[str, Meta(pattern=r"^--[a-z-]+(=[^\s\"'\\]+)?$")], ...] = ()


class Kubernetes(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Of vLLM's production-stack chart.

    Parameters
    ----------
    claim
        The persistent volume claim that holds the models' folders, mounted at ``mount``.
    shared_gpu
        What the cluster calls a part of a GPU, where two servers share one.
    key_secret, key_name
        The secret that holds the servers' key.
    """

    claim: Line = "models"
    mount: Folder = "/srv/models"
    shared_gpu: Line = "nvidia.com/gpu.shared"
    cpus: Count = 4
    memory: Line = "32Gi"
    key_secret: Line | None = None
    key_name: Line = "VLLM_API_KEY"


class Targets(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What differs between hosts' ways to start servers.

    Parameters
    ----------
    python
        The interpreter whose environment has the engine; for local processes, systemd and Slurm.
    router
        vllm-router's executable there.
    image, tag, router_image
        For compose and Kubernetes; ``router_image`` for compose alone.
    user
        Whom systemd starts servers as.
    """

    python: Folder = "/opt/vllm/bin/python"
    router: Line = "/opt/vllm/bin/vllm-router"
    image: Line = "vllm/vllm-openai"
    tag: Line = "v0.32.0"
    router_image: Line = "vllm/vllm-router:latest"
    user: Name = "lehia"
    slurm: Slurm = Slurm()
    kubernetes: Kubernetes = Kubernetes()


class Fleet(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole file."""

    fleet: Name
    hosts: Annotated[tuple[Host, ...], Meta(min_length=1)]
    models: Annotated[tuple[Model, ...], Meta(min_length=1)]
    defaults: Settings = Settings()
    architectures: dict[str, Architecture] = {}
    targets: Targets = Targets()
