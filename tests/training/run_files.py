"""Runs' folders as a training run writes them, without training."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def values(**changes: Any) -> dict[str, Any]:
    """What ``run.json`` holds of a run in its middle."""
    return {
        "schema": "lehia.run/1",
        "name": "lehena",
        "recipe": "exp_2_110",
        "status": "running",
        "created_at": "2026-11-25T10:00:00+00:00",
        "started_at": "2026-11-25T10:05:00+00:00",
        "ended_at": None,
        "heartbeat_at": "2026-11-25T11:59:55+00:00",
        "step": 120,
        "steps": 480,
        "tokens_seen": 251_658_240,
        "loss": 1.25,
        "processes": 128,
        "device": "NVIDIA A100",
        "code_version": "0.1.0",
        "revision": "7f89930c38fe",
        "command": "train exp_2_110",
        "artefacts": {"recipe": "recipe.yaml", "metrics": "metrics.jsonl", "log": "log.txt"},
        "error": None,
    } | changes


def write(runs: Path, name: str = "lehena", **changes: Any) -> Path:
    """A run's folder with its ``run.json``."""
    folder = runs / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text(json.dumps(values(name=name, **changes)))
    return folder
