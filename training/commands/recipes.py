"""``recipes``: all of them, with parameters, data and equivalents."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TypedDict

from training import codes, config
from training.commands.tables import aligned
from training.commands.types import Commands
from training.config import Recipe


class Untrained(TypedDict):
    """A code that a published model stands for."""

    code: str
    model: str
    equivalents: list[str]


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "recipes", help="list all recipes with their parameters, and codes that need no training"
    )
    parser.add_argument("--format", choices=("yaml", "table"), default="yaml")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> object:
    found = [config.load(name) for name in config.names()]
    if options.format == "table":
        return table(found)
    return {"recipes": [_written(recipe) for recipe in found], "untrained": untrained()}


def untrained() -> list[Untrained]:
    """One entry a code that a published model stands for, with the other codes that it stands for."""
    return [
        {"code": code, "model": model, "equivalents": [other for other in names if other != code]}
        for model, names in codes.UNTRAINED.items()
        for code in names
    ]


def table(recipes: Sequence[Recipe]) -> str:
    """A line a recipe, then a line a code that needs no training."""
    head = ("code", "model", "parameters", "data", "tokens a step", "length", "seed", "equivalents")
    lines = [
        (
            recipe.code,
            recipe.backbone.name if recipe.backbone else "from scratch",
            _short(recipe.parameters),
            _learns_from(recipe),
            str(recipe.tokens_a_step),
            _length(recipe),
            str(recipe.schedule.seed),
            "",
        )
        for recipe in recipes
    ]
    lines += [
        (each["code"], each["model"], "", "none: not trained", "", "", "", " ".join(each["equivalents"]))
        for each in untrained()
    ]
    return aligned([head, *lines])


def _written(recipe: Recipe) -> dict[str, object]:
    return recipe.model_dump(mode="json") | {
        "parameters": recipe.parameters,
        "tokens_a_step": recipe.tokens_a_step,
        "takes": ["preferences"] if recipe.preferences else list(recipe.sources),
    }


def _learns_from(recipe: Recipe) -> str:
    """Rows of sources, or pairs: then the sources are what the backbone learnt from."""
    return f"pairs {recipe.preferences.path}" if recipe.preferences else " ".join(recipe.sources)


def _length(recipe: Recipe) -> str:
    schedule = recipe.schedule
    units = {"epochs": schedule.epochs, "steps": schedule.steps, "seconds": schedule.seconds}
    return next(f"{number} {unit}" for unit, number in units.items() if number is not None)


def _short(parameters: int) -> str:
    size, unit = (parameters / 1e9, "B") if parameters >= 1e9 else (parameters / 1e6, "M")
    return f"{size:.3g} {unit}"
