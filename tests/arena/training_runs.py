"""Folders of training runs as ``training`` writes them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

NOW = datetime.now(UTC)


def values(**changes: Any) -> dict[str, Any]:
    """``run.json`` of a run in its middle."""
    started = NOW - timedelta(hours=2)
    return {
        "schema": "lehia.run/1",
        "name": "lehena",
        "recipe": "exp_2_110",
        "status": "running",
        "created_at": started.isoformat(timespec="seconds"),
        "started_at": started.isoformat(timespec="seconds"),
        "ended_at": None,
        "heartbeat_at": NOW.isoformat(timespec="seconds"),
        "step": 1200,
        "steps": 4800,
        "tokens_seen": 251_658_240,
        "loss": 1.2345678,
        "processes": 128,
        "device": "NVIDIA A100",
        "code_version": "0.1.0",
        "revision": "7f89930c38fe",
        "command": "train exp_2_110",
        "artefacts": {"recipe": "recipe.yaml", "metrics": "metrics.jsonl", "log": "log.txt"},
        "error": None,
    } | changes


def write(root: Path, name: str = "lehena", **changes: Any) -> Path:
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text(json.dumps(values(name=name, **changes)))
    return folder


def step(number: int, **changes: Any) -> dict[str, Any]:
    """A line of training."""
    return {
        "step": number,
        "time": NOW.isoformat(),
        "loss": 4.0 - number / 1e6,
        "loss_by_source": {"wikipedia": 3.5, "magpie_eu": 4.5},
        "learning_rate": 1e-5,
        "tokens": 100 * number,
        "tokens_seen": 120 * number,
        "tokens_per_s": 41234.5,
        "mfu": None,
        "gradient_norm": 0.7,
        "memory_mb": 61000,
    } | changes


def evaluation(number: int, loss: float = 2.5) -> dict[str, Any]:
    """A line of evaluation."""
    return {
        "step": number,
        "time": NOW.isoformat(),
        "evaluation": {"aya": {"loss": loss, "bits_per_byte": loss / 3}},
    }


def write_metrics(folder: Path, lines: Iterable[dict[str, Any]]) -> Path:
    path = folder / "metrics.jsonl"
    with path.open("w") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    return path


def export(folder: Path, **changes: Any) -> Path:
    """The manifest of a run's export."""
    manifest = {
        "schema": "lehia.candidate/1",
        "code": "exp_2_110",
        "name": "Llama 3.1 8B Instruct · 110",
        "revision": "7f89930c38fe",
        "description": "Euskarazko dokumentuekin eta elkarrizketekin trebatua.",
        "backbone": "Llama-3.1-8B-Instruct",
        "training_data": "euskarazko dokumentuak",
        "licence": "Llama 3.1 Community License",
        "maker": "Lehia",
        "model_folder": ".",
        "system_prompt_mode": "system",
        "sampling": {"temperature": 0.9, "top_p": 0.95, "max_tokens": 2048, "stop": []},
        "created_at": NOW.isoformat(timespec="seconds"),
    } | changes
    (folder / "export").mkdir(exist_ok=True)
    path = folder / "export" / "candidate.json"
    path.write_text(json.dumps(manifest))
    return path
