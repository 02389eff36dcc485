"""The golden cluster, and the same one on this machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

from training import config
from training.launch import slurm
from training.launch.plan import plan
from training.launch.site import Site

HERE = Path(__file__).parent / "golden"


def values() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((HERE / "site.yaml").read_text())
    return found


def cluster_of(**changes: Any) -> Site:
    return Site.model_validate(values() | changes)


def here(runs: Path, **changes: Any) -> Site:
    """The cluster on this machine: nothing to activate, runs in a folder of the test."""
    folders = {"runs": str(runs), "data": "/data", "base": "/base", "tokens": "/tokens"}
    return cluster_of(folders=folders, activate=[], python=sys.executable, environment={}, **changes)


def written(runs: Path, name: str | None = None, **changes: Any) -> Path:
    """The training job's file of a run."""
    planned = plan(config.load("exp_2_110_lora"), runs, name, resume=False)
    return slurm.write(planned, here(runs, **changes))[slurm.TRAIN]
