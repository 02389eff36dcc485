"""``python -m training recipes | data STAGE | train RECIPE | launch RECIPE | watch RUN | runs | evaluate STEP | export-axolotl CODE``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

import yaml

from training.commands import data, evaluate, export, export_axolotl, launch, recipes, runs, train, watch
from training.commands.types import Commands, Run
from training.errors import BadData, BadRecipe, BadSite, Hung, Interrupted, TrainingError
from training.signals import HUNG, INTERRUPTED

COMMANDS: tuple[Callable[[Commands], None], ...] = (
    recipes.add,
    data.add,
    train.add,
    export.add,
    launch.add,
    watch.add,
    runs.add,
    evaluate.add,
    export_axolotl.add,
)


def main(argv: Sequence[str] | None = None) -> int:
    """0 done, 1 failed, 2 bad input, 75 a run that saved and stopped because it was asked to, 124 one that hung."""
    options = _parser().parse_args(argv)
    run: Run = options.run
    try:
        found = run(options)
    except (BadRecipe, BadData, BadSite) as error:
        print(error, file=sys.stderr)  # noqa: T201  # the command's own output
        return 2
    except Interrupted as error:
        print(error, file=sys.stderr)  # noqa: T201  # the command's own output
        return INTERRUPTED
    except Hung as error:
        print(error, file=sys.stderr)  # noqa: T201  # the command's own output
        return HUNG
    except TrainingError as error:
        print(error, file=sys.stderr)  # noqa: T201  # the command's own output
        return 1
    if found is not None:
        _print(found)
    return 0


def _print(found: object) -> None:
    """A text as it is, anything else as YAML."""
    try:
        if isinstance(found, str):
            sys.stdout.write(found)
        else:
            yaml.safe_dump(found, sys.stdout, sort_keys=False, allow_unicode=True, width=160)
        sys.stdout.flush()
    except BrokenPipeError:  # a reader such as head has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training")
    commands = parser.add_subparsers(dest="command", required=True)
    for add in COMMANDS:
        add(commands)
    return parser
