"""``recipes``: all of them, with parameters, data and equivalents."""

from __future__ import annotations

import argparse

from training import config
from training.commands.types import Commands


def add(commands: Commands) -> None:
    parser = commands.add_parser("recipes", help="list all recipes with their parameters")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> object:
    return [config.load(name).model_dump(mode="json") for name in config.names()]
