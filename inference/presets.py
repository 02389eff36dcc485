"""How model servers are started: a command line and an environment, nothing imported."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ServeCommand:
    argv: list[str]
    env: dict[str, str]


def transformers_serve_command(
    *, python: Path, port: int, home: Path, host: str = "127.0.0.1", make_home: bool = True
) -> ServeCommand:
    """``transformers serve`` on the CPU, one process for several tiny models.

    Parameters
    ----------
    python
        The interpreter whose environment has the ``serve`` extra.
    port
        A free port.
    home
        A folder for Hugging Face's caches; its ``hub/`` is made, without which ``/v1/models`` answers 500.
    make_home
        False where the folder is another machine's.

    Notes
    -----
    One thread: with more, busy cores make it 15-60 times slower. Continuous batching stays off: it freezes the first request's sampling.
    """
    if make_home:
        (home / "hub").mkdir(parents=True, exist_ok=True)
    return ServeCommand(
        argv=[
            *(str(python.with_name("transformers")), "serve"),
            *("--host", host, "--port", str(port)),
            *("--device", "cpu", "--log-level", "warning", "--model-timeout", "86400"),
        ],
        env={
            "HF_HOME": str(home),
            "HF_HUB_OFFLINE": "1",
            "TRANSFORMERS_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
            "TOKENIZERS_PARALLELISM": "false",
        },
    )


@dataclass(frozen=True, slots=True)
class VllmServer:
    """What vLLM is told of one server.

    Parameters
    ----------
    names
        What requests may call the model; answers name the first.
    share
        Of a GPU's memory; ``None`` on a CPU, which is given ``cpu_kv_gib`` for its KV cache instead.
    chat_template
        A file's path, or ``None`` for the tokenizer's own.
    adapters
        Name and folder of each LoRA variant.
    flags
        Further options, last: the last of two wins.
    env
        Further variables of a process: its GPUs, and what the fleet's file adds.
    """

    folder: str
    names: tuple[str, ...]
    host: str
    port: int
    dtype: str
    context: int
    sequences: int
    batched_tokens: int
    parallel: int = 1
    share: float | None = None
    cpu_kv_gib: int | None = None
    chat_template: str | None = None
    adapters: tuple[tuple[str, str], ...] = ()
    lora_rank: int = 16
    flags: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)


def vllm_options(server: VllmServer) -> list[str]:
    """The options behind ``vllm serve MODEL``, address left out: what compose and Kubernetes need too.

    Notes
    -----
    ``--generation-config vllm`` keeps a folder's own sampling out, so that candidates differ only in what the site sends. The key is no option:
    vLLM reads it from ``VLLM_API_KEY``, and command lines can be read by everybody on the machine.
    """
    options = [
        *("--served-model-name", *server.names),
        *("--dtype", server.dtype, "--max-model-len", str(server.context)),
        *("--max-num-seqs", str(server.sequences)),
        *("--max-num-batched-tokens", str(server.batched_tokens)),
        *("--generation-config", "vllm", "--enable-request-id-headers"),
    ]
    if server.share is not None:
        options += ["--gpu-memory-utilization", f"{server.share:g}"]
    if server.parallel > 1:
        options += ["--tensor-parallel-size", str(server.parallel)]
    if server.chat_template:
        options += ["--chat-template", server.chat_template]
    if server.adapters:
        options += ["--enable-lora", "--max-loras", str(len(server.adapters))]
        options += ["--max-lora-rank", str(server.lora_rank), "--lora-modules"]
        options += [f"{name}={folder}" for name, folder in server.adapters]
    return [*options, "--uvicorn-log-level", "warning", *server.flags]


def vllm_command(server: VllmServer, *, python: Path) -> ServeCommand:
    """vLLM's OpenAI-compatible server as a process of its own."""
    return ServeCommand(
        argv=[
            *(str(python), "-m", "vllm.entrypoints.openai.api_server", "--model", server.folder),
            *("--host", server.host, "--port", str(server.port)),
            *vllm_options(server),
        ],
        env=vllm_environment(server) | server.env,
    )


def vllm_environment(server: VllmServer) -> dict[str, str]:
    """The variables that any vLLM server of ours gets: nothing is fetched and nothing reported."""
    env = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "VLLM_DO_NOT_TRACK": "1"}
    if server.cpu_kv_gib is not None:
        # more threads than free cores cost more than they bring
        env |= {"VLLM_CPU_KVCACHE_SPACE": str(server.cpu_kv_gib), "OMP_NUM_THREADS": "1"}
    return env
