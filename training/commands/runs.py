"""``runs``: what runs there are, and how they stand."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from training.commands.tables import aligned
from training.commands.types import Commands

if TYPE_CHECKING:
    from training.registry import Entry


def add(commands: Commands) -> None:
    parser = commands.add_parser("runs", help="list runs, lost and broken ones too")
    parser.add_argument("--runs", type=Path, default=Path("var/runs"), help="folder of runs")
    parser.add_argument("--format", choices=("yaml", "table"), default="yaml")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> object:
    from training import registry

    found, now = registry.runs(options.runs), datetime.now(UTC)
    return (
        table(found, now) if options.format == "table" else {"runs": [_written(each, now) for each in found]}
    )


def table(entries: Sequence[Entry], now: datetime) -> str:
    """A line a run."""
    head = ("name", "recipe", "status", "step", "loss", "processes", "device", "heartbeat", "said")
    return aligned([head, *(_line(each, now) for each in entries)])


def _line(entry: Entry, now: datetime) -> tuple[str, ...]:
    run, state = entry.run, entry.state(now).value
    if run is None:
        return (entry.folder.name, "", state, "", "", "", "", "", entry.fault)
    return (
        entry.folder.name,
        run.recipe,
        state,
        f"{run.step}/{run.steps or '?'}",
        "" if run.loss is None else f"{run.loss:.4f}",
        str(run.processes),
        run.device,
        f"{_age(now - run.heartbeat_at)} ago",
        (run.error or "").partition("\n")[0],
    )


def _age(span: timedelta) -> str:
    return str(span).partition(".")[0]


def _written(entry: Entry, now: datetime) -> dict[str, object]:
    said: dict[str, object] = {"name": entry.folder.name, "state": entry.state(now).value}
    if entry.run is None:
        return said | {"fault": entry.fault}
    run = entry.run
    return said | {
        "recipe": run.recipe,
        "step": run.step,
        "steps": run.steps,
        "loss": run.loss,
        "tokens_seen": run.tokens_seen,
        "processes": run.processes,
        "device": run.device,
        "created_at": run.created_at.isoformat(),
        "heartbeat_at": run.heartbeat_at.isoformat(),
        "error": run.error,
        "artefacts": {name: str(path) for name, path in entry.artefacts.items()},
    }
