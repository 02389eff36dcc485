"""A run that is to be launched: its recipe as it is now, frozen in a file, so that what is requeued next week is what was launched today."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from training import config, registry
from training.config import Recipe
from training.errors import BadRecipe
from training.fingerprint import fingerprint

LAUNCHED = ".launch"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is launched.

    Parameters
    ----------
    runs
        The folder of runs, absolute.
    name
        Of the run's folder in it.
    resume
        Whether to go on with a run that is there.
    """

    recipe: Recipe
    runs: Path
    name: str
    resume: bool = False

    @property
    def run(self) -> Path:
        """The run's folder; ``train`` makes it."""
        return self.runs / self.name

    @property
    def folder(self) -> Path:
        """Where jobs, their output and the frozen recipe lie: beside the run's folder, which a start makes anew."""
        return self.runs / LAUNCHED / self.name

    @property
    def recipe_file(self) -> Path:
        """The frozen recipe."""
        return self.folder / "recipe.yaml"

    def freeze(self) -> None:
        """Write the recipe down."""
        self.folder.mkdir(parents=True, exist_ok=True)
        values = self.recipe.model_dump(mode="json")
        self.recipe_file.write_text(yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=160))


def plan(recipe: Recipe, runs: Path, name: str | None, *, resume: bool) -> Plan:
    """Check that the run can be launched.

    Raises
    ------
    BadRecipe
        For a name that is no folder's, a run that is there already, or one that was started with another recipe.
    """
    name = name or recipe.code
    if not registry.is_name(name):
        raise BadRecipe(
            f"{name!r}: a run's name has at most 120 signs, no / among them and no dot at its front"
        )
    found = Plan(recipe, runs.absolute(), name, resume)
    before = found.run / "recipe.yaml"
    if not before.is_file():
        return found
    if not resume:
        raise BadRecipe(f"{found.run}: there is such a run; --resume to go on with it, --name for another")
    if fingerprint(config.load_file(before)) != fingerprint(recipe):
        raise BadRecipe(f"{found.run}: the run was started with other values; they are in recipe.yaml")
    return found
