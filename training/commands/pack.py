"""``data pack``: the plans of a recipe's rows, pass by pass."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING, Any

from training import paths
from training.commands.tokenise import recipe_of
from training.commands.types import Commands
from training.paths import Roots

if TYPE_CHECKING:
    from training.data.row_set import RowSet


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "pack", help="plan a recipe's rows, tokenising what is not yet; runs find the plans"
    )
    parser.add_argument("recipe", metavar="RECIPE", help="a code or a YAML file")
    parser.add_argument("--passes", type=int, help="over the data; the recipe's epochs, or one, if left out")
    paths.add_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> object:
    from training.data import stream
    from training.model import tokenizer_for

    recipe, roots = recipe_of(options.recipe), Roots.of(options)
    tokenizer = tokenizer_for(recipe, partial(paths.resolve, roots=roots))
    rows = stream.row_set(recipe, tokenizer, roots)
    passes = []
    for epoch in range(options.passes or recipe.schedule.epochs or 1):
        rows.set_epoch(epoch)
        passes.append(_told(rows))
    measured = stream.evaluation_sets(recipe, tokenizer, roots)
    return {
        "recipe": recipe.code,
        "row_tokens": rows.row_tokens,
        "seed": recipe.schedule.seed,
        "folder": str(roots.store),
        "left_out": rows.left_out,
        "passes": passes,
        "evaluation": {name: _told(each) for name, each in measured.items()},
    }


def _told(rows: RowSet) -> dict[str, Any]:
    return {
        "rows": len(rows),
        "tokens": rows.plan.tokens,
        "fill": round(rows.fill, 4),
        "tokens_by_source": rows.tokens_by_source(),
    }
