"""``evaluate run MODEL`` and ``evaluate import FILES``: the study's static benchmarks."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from training.commands.types import Commands
from training.harness.table import OWN_TASKS, chosen, tasks


def add(commands: Commands) -> None:
    parser = commands.add_parser("evaluate", help="static benchmarks by lm-evaluation-harness (an extra)")
    steps = parser.add_subparsers(dest="step", required=True)
    _add_run(steps)
    _add_import(steps)
    listed = steps.add_parser("tasks", help="list the study's 29 tasks and what is unverified of them")
    listed.set_defaults(run=lambda options: [task.model_dump() for task in tasks()])


def _add_run(steps: Commands) -> None:
    parser = steps.add_parser("run", help="run tasks on a model folder")
    parser.add_argument("model", type=Path, help="a model folder, or a run's folder that was exported")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--task", action="append", default=[], metavar="NAME", help="all if left out")
    parser.add_argument("--language", action="append", default=[], choices=("eu", "en", "es"))
    parser.add_argument("--task-files", type=Path, default=OWN_TASKS, help="in place of the package's own")
    parser.add_argument("--model-args", default="", help="more of the harness's --model_args")
    parser.add_argument("--device")
    parser.add_argument("--limit", type=int, help="questions a task, for a trial")
    parser.set_defaults(run=run)


def _add_import(steps: Commands) -> None:
    parser = steps.add_parser(
        "import", help="result files of the harness, as one for manage.py import_benchmarks"
    )
    parser.add_argument("files", nargs="+", type=Path, help="result files, or folders of them")
    parser.add_argument("--model", required=True, help="what boards call the model")
    parser.add_argument("--output", type=Path, required=True)
    parser.set_defaults(run=run_import)


def run(options: argparse.Namespace) -> object:
    from training.harness.run import evaluate

    exported = options.model / "export"
    scores = evaluate(
        exported if exported.is_dir() else options.model,
        chosen(options.task, options.language),
        options.output,
        task_files=options.task_files,
        arguments=options.model_args,
        device=options.device,
        limit=options.limit,
    )
    if scores is None:
        return {"trial": str(options.output)}
    return {"scores": str(scores)} | _said(json.loads(scores.read_text()))


def run_import(options: argparse.Namespace) -> object:
    from training.harness.results import merge

    merged = merge(options.files, options.model)
    options.output.write_text(json.dumps(merged, indent=1) + "\n")
    return {"scores": str(options.output)} | _said(merged)


def _said(merged: dict[str, Any]) -> dict[str, object]:
    return {"model": merged["model_name"], "tasks": list(merged["n-shot"]), "missing": merged["missing"]}
