"""``export-axolotl CODE``: a recipe as the study's axolotl would read it."""

from __future__ import annotations

import argparse

from training import config
from training.commands.types import Commands


def add(commands: Commands) -> None:
    parser = commands.add_parser("export-axolotl", help="write a recipe as a file for axolotl")
    parser.add_argument("recipe", metavar="CODE")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> object:
    from training.axolotl import axolotl_of

    return axolotl_of(config.load(options.recipe))
