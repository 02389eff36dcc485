"""What a run's weights depend on, as a short name.

Two things go in, and nothing else:

* the recipe's values that decide weights: not its name, description and licence, how the candidate is sampled, how often the run is measured and saved,
  what it is measured on, what the backbone is called, nor sources that the code's digits leave out;
* the source of the modules that such weights pass through, found by following imports from :data:`DECIDING`, and the texts and templates of this package.

Commands, logs, progress, launching, exporting and measuring are not reached and can change without a candidate being trained anew. A module that a deciding
one comes to import is followed by itself. Rows outside this package (``DATA/``) are named by their paths; the versions of torch and transformers are not in
it, so that a folder of models stays good for a new environment.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from training.config import Recipe

DECIDING = (
    "arguments",
    "collator",
    "data.stream",
    "loss",
    "model",
    "neftune",
    "optimizer",
    "order",
    "schedule",
    "trainer",
)
"""Modules of this package where the search begins: rows, model, loss, noise, optimizer, schedule, and the loop that binds them."""

ASIDE = frozenset(
    {"bits", "cadence", "checkpoints", "codes", "config", "errors", "flops", "guard", "metrics", "parallel"}
)
"""What those import that decides nothing: it measures, writes down, refuses, or reads the recipe whose values go in as they are."""

_HERE = Path(__file__).parent
_TEXTS = ("corpus/*.txt", "templates/*.jinja")
_LEFT_OUT = {"name", "description", "licence", "sampling", "cadence"}


def fingerprint(recipe: Recipe) -> str:
    """Twelve hex digits; the same for the same recipe, code and texts on every machine."""
    values = json.dumps(deciding_values(recipe), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(values.encode() + _code()).hexdigest()[:12]


def deciding_values(recipe: Recipe) -> dict[str, Any]:
    """The recipe's values that weights depend on."""
    values = recipe.model_dump(mode="json", exclude=_LEFT_OUT)
    values["data"].pop("evaluation")
    values["data"]["sources"] = {name: values["data"]["sources"][name] for name in recipe.sources}
    if values["backbone"]:
        values["backbone"] = {"path": values["backbone"]["path"]}
    return values


def deciding_modules() -> list[str]:
    """The modules of this package that weights pass through, by name inside it, sorted."""
    found: set[str] = set()
    waiting = list(DECIDING)
    while waiting:
        name = waiting.pop()
        if name not in found and name not in ASIDE:
            found.add(name)
            waiting += _imported(_file(name))
    return sorted(found)


@cache
def _code() -> bytes:
    digest = hashlib.sha256()
    files = [_file(name) for name in deciding_modules()]
    files += sorted(path for pattern in _TEXTS for path in _HERE.glob(pattern))
    for path in files:
        digest.update(path.relative_to(_HERE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.digest()


def _imported(path: Path) -> Iterator[str]:
    """Names inside this package of the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{each.name}" for each in node.names)]
        for name in names:
            inside = name.removeprefix("training.")
            if name != inside and _file(inside).is_file():
                yield inside


def _file(name: str) -> Path:
    plain = _HERE.joinpath(*name.split(".")).with_suffix(".py")
    return plain if plain.is_file() else plain.with_suffix("") / "__init__.py"
