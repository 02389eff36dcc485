"""Which paths a provider's server has beside the chat."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from inference.types import Provider


@dataclass(frozen=True, slots=True)
class Paths:
    """``health`` and ``metrics`` start at the server's root, ``models`` at the endpoint's address; ``None`` where there is none."""

    health: str | None = None
    models: str | None = "/models"
    metrics: str | None = None


PATHS = {
    Provider.OPENAI: Paths(),
    Provider.GEMINI: Paths(),
    Provider.COHERE: Paths(models=None),
    Provider.VLLM: Paths(health="/health", metrics="/metrics"),
    Provider.TRANSFORMERS: Paths(health="/health"),
    Provider.OLLAMA: Paths(health="/api/version"),
    Provider.LLAMA_CPP: Paths(health="/health"),
    Provider.ANTHROPIC: Paths(),
}


def at_root(base_url: str, path: str) -> str:
    """*path* on the server of *base_url*, whatever path that one has."""
    parts = urlsplit(base_url)
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))
