"""Training on one CPU thread beside TRL's SFTTrainer, each in a process of its own, in turn.

Two cases: the very same rows in the very same steps, and the same documents and chats packed by each one's own default. All train the embedded candidates'
model in float32 with AdamW at a constant rate, without gradient checkpointing. Tokens are those of documents and chats, padding left out; the first steps are
not timed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.training_worker import IDENTICAL, OWN, Setting

ROOT = Path(__file__).resolve().parent.parent
OURS, TRL = "lehia", "trl SFTTrainer"
GOALS = {IDENTICAL: 1.0, OWN: 1.5}
SETTING = Setting(steps=40, warm=8, batch=8, length=256, learning_rate=3e-3, weight_decay=0.05, clip=1.0)
_SPARE = 1.2  # others may pack into other rows, and see as many steps
_ENV = {
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
    "CUDA_VISIBLE_DEVICES": "",
}


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rounds", type=int, default=3, help="of each figure of speed, 3 if left out; medians count"
    )


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """All of it; trainers take turns, so that a busy machine is busy for both."""
    who = {OURS: Path(sys.executable)} | ({TRL: options.peers} if options.peers.exists() else {})
    if TRL not in who:
        print(f"NOT RUN: {TRL}, for there is no {options.peers}: make bench installs it", file=sys.stderr)
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        for _, case, each in itertools.product(range(options.rounds), GOALS, who):
            found.setdefault((case, each), []).append(_in_a_process(who[each], folder, each, case))
    medians = {key: _median(rows) for key, rows in found.items()}
    return [_row(case, each, figures, medians.get((case, TRL))) for (case, each), figures in medians.items()]


def _row(case: str, who: str, figures: dict[str, float], trl: dict[str, float] | None) -> dict[str, Any]:
    """Figures with what they are beside TRL's in the same case."""
    return {
        "case": case,
        "who": who,
        "tokens_per_s": round(figures["tokens_per_s"], 1),
        "peak_mb": round(figures["peak_mb"]),
        "loss_nats": round(figures["loss_nats"], 4),
        "times_trl": round(figures["tokens_per_s"] / trl["tokens_per_s"], 2) if trl else None,
        "goal_times": GOALS[case] if who == OURS else None,
    }


def _median(rows: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(each[name] for each in rows) for name in rows[0]}


def _in_a_process(python: Path, folder: Path, who: str, case: str) -> dict[str, float]:
    command = [str(python), "-m", "benchmarks.training_worker", str(folder), who, case]
    done = subprocess.run(
        command, env=os.environ | _ENV, capture_output=True, text=True, check=False, cwd=ROOT
    )
    if done.returncode:
        raise SystemExit(f"{who} on {case} ended with status {done.returncode}:\n{done.stderr[-3000:]}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def prepare(folder: Path, setting: Setting = SETTING) -> None:
    """Model, tokenizer, rows and what they are made of, for a worker of any environment."""
    from training import config
    from training.data import stream
    from training.model import build_model, tokenizer_for
    from training.order import Passes
    from training.paths import Roots
    from training.train import quiet_torch

    changes = (
        f"batch.rows={setting.batch}",
        f"schedule.steps={setting.steps}",
        f"data.row_tokens={setting.length}",
    )
    recipe = config.resolved("txiki_110", changes)
    tokenizer = tokenizer_for(recipe, Path)
    quiet_torch(1)
    assert recipe.shape is not None
    build_model(recipe.shape, tokenizer).save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    total = math.ceil(setting.steps * setting.batch * _SPARE)
    passes = Passes(stream.row_set(recipe, tokenizer, Roots(tokens=folder / "tokens")), total)
    rows = [passes[index] for index in range(total)]
    (folder / "rows.json").write_text(json.dumps(rows))
    (folder / "parts.json").write_text(json.dumps([part for row in rows for part in parts(row)]))
    (folder / "setting.json").write_text(json.dumps(vars(setting)))


def parts(row: dict[str, list[int]]) -> list[dict[str, list[int]]]:
    """The documents and chats of a packed row, without its padding."""
    starts = [place for place, position in enumerate(row["position_ids"]) if position == 0]
    return [
        {"input_ids": row["input_ids"][start:end], "labels": row["labels"][start:end]}
        for start, end in itertools.pairwise([*starts, len(row["position_ids"])])
        if row["sources"][start] >= 0
    ]
