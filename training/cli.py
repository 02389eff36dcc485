"""``python -m training recipes | data STAGE | train RECIPE | evaluate STEP``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

import yaml

from training.commands import data, evaluate, recipes, train
from training.commands.types import Commands, Run
from training.errors import BadData, BadRecipe, TrainingError

COMMANDS: tuple[Callable[[Commands], None], ...] = (recipes.add, data.add, train.add, evaluate.add)


def main(argv: Sequence[str] | None = None) -> int:
    """0 done, 1 failed, 2 bad input."""
    options = _parser().parse_args(argv)
    run: Run = options.run
    try:
        found = run(options)
    except (BadRecipe, BadData) as error:
        print(error, file=sys.stderr)  # noqa: T201  # the command's own output
        return 2
    except TrainingError as error:
        print(error, file=sys.stderr)  # noqa: T201  # the command's own output
        return 1
    if found is not None:
        _print(found)
    return 0


def _print(found: object) -> None:
    try:
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
