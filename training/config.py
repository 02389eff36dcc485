"""Recipes: pydantic models read from YAML, a few lines a variant over one file of defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pydantic
import yaml

from training.errors import BadRecipe

RECIPES = Path(__file__).parent / "recipes"


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class ModelShape(_Strict):
    """A Llama; the defaults make about 0.9 M parameters."""

    vocabulary: int = pydantic.Field(ge=300)
    hidden: int = pydantic.Field(ge=8)
    layers: int = pydantic.Field(ge=1)
    intermediate: int = pydantic.Field(ge=8)
    heads: int = pydantic.Field(ge=1)
    kv_heads: int = pydantic.Field(ge=1)
    positions: int = pydantic.Field(ge=128)
    initial_spread: float = pydantic.Field(gt=0)


class Mixture(_Strict):
    """Shares of the rows' tokens, by source; they sum to one."""

    corpus: float = pydantic.Field(default=0, ge=0, le=1)
    eu: float = pydantic.Field(default=0, ge=0, le=1)
    en: float = pydantic.Field(default=0, ge=0, le=1)

    @pydantic.model_validator(mode="after")
    def _sum(self) -> Mixture:
        if abs(self.corpus + self.eu + self.en - 1) > 1e-9:
            raise ValueError("the shares of corpus, eu and en do not sum to 1")
        return self


class Schedule(_Strict):
    optimizer: Literal["adamw", "muon"]
    steps: int = pydantic.Field(ge=1)
    rows: int = pydantic.Field(ge=1)
    row_tokens: int = pydantic.Field(ge=64)
    learning_rate: float = pydantic.Field(gt=0)
    floor: float = pydantic.Field(ge=0, le=1)
    warmup: float = pydantic.Field(ge=0, le=1)
    weight_decay: float = pydantic.Field(ge=0)
    clip: float = pydantic.Field(gt=0)
    seed: int


class Recipe(_Strict):
    code: str
    name: str
    description: str
    mixture: Mixture
    model: ModelShape
    schedule: Schedule


def names() -> list[str]:
    """The codes of all recipes."""
    return sorted(path.stem for path in RECIPES.glob("*_???.yaml"))


def load(code: str) -> Recipe:
    """A recipe with what it extends.

    Raises
    ------
    BadRecipe
        Where there is none of that name, or a key is unknown, missing or out of range; names the key.
    """
    if code not in names():
        raise BadRecipe(f"no recipe is called {code!r}; there are {', '.join(names())}")
    try:
        return Recipe.model_validate({"code": code} | _read(f"{code}.yaml"))
    except pydantic.ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'recipe'}: {e['msg']}" for e in error.errors())
        raise BadRecipe(f"{code}.yaml: {faults}") from None


def _read(name: str) -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load((RECIPES / name).read_text())
    base = values.pop("extends", None)
    return _over(_read(base), values) if base else values


def _over(base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in top.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _over(merged[key], value) if both else value
    return merged
