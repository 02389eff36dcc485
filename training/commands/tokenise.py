"""``data tokenise``: a recipe's sources to token ids, once."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

from training import config, paths
from training.commands.types import Commands
from training.paths import Roots


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "tokenise", help="tokenise what a recipe learns from and is measured on, once"
    )
    parser.add_argument("recipe", metavar="RECIPE", help="a code or a YAML file")
    parser.add_argument("--processes", type=int, help="side by side; as many as processors if left out")
    paths.add_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> object:
    from training.data import stream
    from training.model import tokenizer_for
    from training.template import VERSION

    recipe, roots = recipe_of(options.recipe), Roots.of(options)
    tokenizer = tokenizer_for(recipe, partial(paths.resolve, roots=roots))
    found: dict[str, Any] = {}
    for name, source, made in stream.tokenise(recipe, tokenizer, roots, processes=options.processes):
        found[name] = {"path": source.path} | (
            {"made": "in memory, by each run"} if made is None else {"was_made": made.was_made, **made.about}
        )
    return {"recipe": recipe.code, "template": VERSION, "folder": str(roots.store), "sources": found}


def recipe_of(name: str) -> config.Recipe:
    """A recipe by its code or its file."""
    from pathlib import Path

    return config.load_file(Path(name)) if name.endswith((".yaml", ".yml")) else config.load(name)
