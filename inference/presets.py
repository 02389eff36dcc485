"""How the embedded model server is started: a command line and an environment, nothing imported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ServeCommand:
    argv: list[str]
    env: dict[str, str]


def transformers_serve_command(*, python: Path, port: int, home: Path) -> ServeCommand:
    """``transformers serve`` on loopback, one process for several tiny models.

    Parameters
    ----------
    python
        The interpreter whose environment has the ``serve`` extra.
    port
        A free port.
    home
        A folder for Hugging Face's caches; its ``hub/`` is made, without which ``/v1/models`` answers 500.

    Notes
    -----
    One thread: with more, busy cores make it 15-60 times slower. Continuous batching stays off: it freezes the first request's sampling.
    """
    (home / "hub").mkdir(parents=True, exist_ok=True)
    return ServeCommand(
        argv=[
            *(str(python.with_name("transformers")), "serve"),
            *("--host", "127.0.0.1", "--port", str(port)),
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
