"""Recipes: pydantic models read from YAML, a few lines a variant over one file of defaults."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pydantic
import yaml

from training import codes
from training.errors import BadRecipe
from training.overrides import change_of, over
from training.parts import (
    Backbone,
    Batch,
    Cadence,
    Data,
    Method,
    ModelShape,
    Optimizer,
    Parallel,
    Preferences,
    Sampling,
    Schedule,
    Source,
    Strict,
)

RECIPES = Path(__file__).parent / "recipes"
BUILT_IN = "builtin:"


class Recipe(Strict):
    """One run, whole: from weights and rows to a candidate."""

    code: str
    name: str
    description: str
    licence: str
    backbone: Backbone | None = None
    shape: ModelShape | None = None
    data: Data
    batch: Batch
    optimizer: Optimizer
    schedule: Schedule
    method: Method
    parallel: Parallel
    cadence: Cadence
    sampling: Sampling
    preferences: Preferences | None = None

    @pydantic.model_validator(mode="after")
    def _whole(self) -> Recipe:
        if (self.backbone is None) == (self.shape is None):
            raise ValueError("give a backbone to start from, or a shape to make from scratch")
        code, shares = codes.parse(self.code), self.data.shares
        if shares and any((getattr(shares, factor) > 0) != on for factor, on in code.factors.items()):
            raise ValueError("the shares are of other factors than the code's digits")
        if not self.sources:
            raise ValueError("the code's digits take in no source")
        if self.preferences and self.backbone is None:
            raise ValueError("preferences need a backbone that answers already, not a shape")
        return self

    @property
    def is_built_in(self) -> bool:
        """Whether it needs nothing from outside this package."""
        return self.shape is not None and all(
            each.path.startswith(BUILT_IN) for each in self.sources.values()
        )

    @property
    def parameters(self) -> int:
        """How many weights the model has; of a backbone to three digits."""
        if self.shape is not None:
            return self.shape.parameters
        assert self.backbone is not None  # noqa: S101  # one of the two, by _whole
        return round(self.backbone.parameters_b * 1e9)

    @property
    def tokens_a_step(self) -> int:
        return self.batch.rows * self.batch.accumulation * self.batch.processes * self.data.row_tokens

    @property
    def sources(self) -> dict[str, Source]:
        """The sources that the code's digits take in, in the file's order."""
        factors = codes.parse(self.code).factors
        return {name: each for name, each in self.data.sources.items() if factors[each.factor]}


def names() -> list[str]:
    """The codes of all recipes."""
    return sorted(path.stem for path in RECIPES.glob("*.yaml") if codes.is_code(path.stem))


def embedded() -> list[str]:
    """The codes of the candidates that this package makes from its own texts alone."""
    return [code for code in names() if load(code).is_built_in]


def load(code: str) -> Recipe:
    """A recipe with what it extends.

    Raises
    ------
    BadRecipe
        Where there is none of that name, or a key is unknown, missing or out of range; names the key.
    """
    return load_file(_of_code(code))


def _of_code(code: str) -> Path:
    if code not in names():
        raise BadRecipe(f"no recipe is called {code!r}; there are {', '.join(names())}")
    return RECIPES / f"{code}.yaml"


def resolved(recipe: str, changes: Sequence[str] = ()) -> Recipe:
    """A recipe by its code or its file, with values set from outside.

    Parameters
    ----------
    recipe
        ``exp_0_110``, or a path that ends in ``.yaml``.
    changes
        ``key=value`` with dots between keys, the value as YAML: ``batch.rows=1``, ``method.lora=null``. Where one of several keys is to be given, setting
        it takes the others back: a length of the schedule, or the groups of ``parallel`` when its kind is set.

    Raises
    ------
    BadRecipe
    """
    path = Path(recipe) if recipe.endswith((".yaml", ".yml")) else _of_code(recipe)
    values = _read(path, ())
    for change in changes:
        values = over(values, change_of(change))
    return _validated(values, path)


def load_file(path: Path) -> Recipe:
    """A recipe of one's own, whose name is its code; what it extends lies beside it or among the package's recipes.

    Raises
    ------
    BadRecipe
    """
    return _validated(_read(path, ()), path)


def _validated(values: dict[str, Any], path: Path) -> Recipe:
    try:
        return Recipe.model_validate({"code": path.stem} | values)
    except pydantic.ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'recipe'}: {e['msg']}" for e in error.errors())
        raise BadRecipe(f"{path.name}: {faults}") from None


def _read(path: Path, above: tuple[Path, ...]) -> dict[str, Any]:
    if path in above:
        raise BadRecipe(f"{path.name} extends itself")
    try:
        values = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise BadRecipe(f"{path}: {error}") from None
    if not isinstance(values, dict):
        raise BadRecipe(f"{path.name}: not a mapping of keys to values")
    bases = values.pop("extends", [])
    merged: dict[str, Any] = {}
    for base in [bases] if isinstance(bases, str) else bases:
        merged = over(merged, _read(_beside(path, base), (*above, path)))
    return over(merged, values)


def _beside(path: Path, base: str) -> Path:
    near = path.with_name(base)
    return near if near.exists() else RECIPES / base
