"""Values of a recipe laid over others: a variant over its base, what a command sets over both."""

from __future__ import annotations

from typing import Any

import yaml

from training.errors import BadRecipe

_TAKEN_BACK = {
    "schedule.epochs": ("steps", "seconds"),
    "schedule.steps": ("epochs", "seconds"),
    "schedule.seconds": ("epochs", "steps"),
    "parallel.kind": ("shard", "copies"),
}


def change_of(text: str) -> dict[str, Any]:
    """The nested mapping of ``a.b=value``, which takes back what cannot stand beside it.

    Raises
    ------
    BadRecipe
        For a text of another form, or a value that is no YAML.
    """
    key, sign, raw = text.partition("=")
    if not sign or not all(key.split(".")):
        raise BadRecipe(f"{text!r} is not of the form key=value")
    try:
        value = yaml.safe_load(raw)
    except yaml.YAMLError as error:
        raise BadRecipe(f"{text!r}: {error}") from None
    *above, last = key.split(".")
    found: dict[str, Any] = dict.fromkeys(_TAKEN_BACK.get(key, ())) | {last: value}
    for name in reversed(above):
        found = {name: found}
    return found


def over(base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    """Nested mappings merged key by key, the top one's values over the base's."""
    merged = dict(base)
    for key, value in top.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = over(merged[key], value) if both else value
    return merged
