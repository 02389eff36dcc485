"""The harness on one model: one pass for each number of shots, then one file of scores."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from training.errors import BadRecipe, RunFailed
from training.harness.results import merge
from training.harness.table import OWN_TASKS, Task

SCORES = "benchmarks.json"


def evaluate(
    model: Path,
    tasks: Sequence[Task],
    output: Path,
    *,
    task_files: Path = OWN_TASKS,
    arguments: str = "",
    device: str | None = None,
    limit: int | None = None,
) -> Path | None:
    """Run tasks on a model folder as the study did: chat template applied, examples as turns.

    Parameters
    ----------
    model
        A folder that transformers loads; its chat template is used.
    tasks
        What to run; passes that are finished in *output* already are run again.
    output
        A folder of this model alone: the harness's own files, and ``benchmarks.json`` for ``manage.py import_benchmarks --layout lm-eval``.
    task_files
        Our task files, or a folder in their place, for example with local copies of the data.
    arguments
        More of the harness's ``--model_args``, such as ``dtype=bfloat16,attn_implementation=flash_attention_2``.
    device
        ``cuda``, ``cpu``; the harness chooses if left out.
    limit
        Questions a task, for a trial, which gives no scores.

    Returns
    -------
    Path or None
        The file of scores; none of a trial.

    Raises
    ------
    BadRecipe
        Where the extra is not installed.
    RunFailed
        Where the harness failed; its messages are on standard error.
    """
    if importlib.util.find_spec("lm_eval") is None:
        raise BadRecipe("the harness is not installed: pip install 'lehia[evaluate]'")
    for shots, group in groupby(sorted(tasks, key=lambda task: task.shots), key=lambda task: task.shots):
        command = [
            *(sys.executable, "-m", "lm_eval", "run", "--model", "hf"),
            *("--model_args", ",".join(filter(None, [f"pretrained={model}", arguments]))),
            *("--tasks", ",".join(task.upstream for task in group), "--num_fewshot", str(shots)),
            *("--apply_chat_template", "--fewshot_as_multiturn", "true"),
            *("--include_path", str(task_files), "--output_path", str(output / f"{shots}_shots")),
            *(("--device", device) if device else ()),
            *(("--limit", str(limit)) if limit else ()),
        ]
        _run(command)
    if limit:
        return None
    scores = output / SCORES
    scores.write_text(json.dumps(merge([output], model.name), indent=1) + "\n")
    return scores


def _run(command: Iterable[str]) -> None:
    environment = {"TOKENIZERS_PARALLELISM": "false", **os.environ}
    status = subprocess.run(list(command), env=environment, stdout=sys.stderr, check=False).returncode
    if status:
        raise RunFailed(f"the harness ended with status {status}; its messages are above")
