"""``export``: a run's checkpoint into a folder that model servers read."""

from __future__ import annotations

import argparse
import os
from dataclasses import asdict
from pathlib import Path

from training.commands.types import Commands


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "export", help="turn a run's checkpoint into a model folder with manifest and card"
    )
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="a run's folder")
    parser.add_argument(
        "--checkpoint", type=int, metavar="N", help="of this step; the last whole one if left out"
    )
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="RUN/export if left out, RUN/merged with --merge-lora"
    )
    parser.add_argument("--merge-lora", action="store_true", help="whole weights instead of the adapter")
    parser.add_argument(
        "--base",
        type=Path,
        metavar="DIR",
        help="where BASE/ of recipes lies; LEHIA_TRAINING_BASE if left out",
    )
    parser.add_argument(
        "--no-logits", action="store_true", help="compare hashes alone, as where time is short"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> object:
    from training.export.job import Request, export

    return asdict(
        export(
            Request(
                run=options.run_folder,
                checkpoint=options.checkpoint,
                output=options.output,
                merge=options.merge_lora,
                base=_backbone(options),
                compare_logits=not options.no_logits,
            )
        )
    )


def _backbone(options: argparse.Namespace) -> Path | None:
    from training import config

    root = options.base or (
        Path(os.environ["LEHIA_TRAINING_BASE"]) if os.environ.get("LEHIA_TRAINING_BASE") else None
    )
    backbone = config.load_file(options.run_folder / "recipe.yaml").backbone
    if root is None or backbone is None or not backbone.path.startswith("BASE/"):
        return None
    return root / backbone.path.removeprefix("BASE/")
