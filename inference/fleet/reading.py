"""From a file's text to a :class:`~inference.fleet.config.Fleet`, with errors that name the place."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Any

import msgspec
import yaml

from inference.fleet import config
from inference.fleet.config import Fleet
from inference.fleet.errors import BadFleet

_STRUCTS = [
    each for each in vars(config).values() if isinstance(each, type) and issubclass(each, msgspec.Struct)
]
_FIELDS = sorted({field for each in _STRUCTS for field in each.__struct_fields__})
_UNKNOWN = re.compile(r"unknown field `([^`]+)`")
_INDEX = re.compile(r"(hosts|models)\[(\d+)\]")


class _Loader(yaml.SafeLoader):
    """Plain YAML that takes no key twice: the second would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        twice = sorted({key for key in map(str, keys) if list(map(str, keys)).count(key) > 1})
        if twice:
            raise yaml.MarkedYAMLError(
                problem=f"{twice[0]} is there twice in one mapping", problem_mark=node.start_mark
            )
        return super().construct_mapping(node, deep)


def read(path: Path) -> Fleet:
    """The fleet in a file.

    Raises
    ------
    BadFleet
        For what cannot be read, with line or place.
    """
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise BadFleet(f"{path}: {getattr(error, 'strerror', None) or 'not UTF-8 text'}") from None
    try:
        return parse(text)
    except BadFleet as error:
        raise BadFleet(f"{path}: {error}") from None


def parse(text: str) -> Fleet:
    """The fleet in a text; ``defaults`` are put into each model that does not say otherwise. Raises :class:`BadFleet`."""
    try:
        values = yaml.load(text, Loader=_Loader)  # noqa: S506  # a safe loader, only stricter
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1} column {mark.column + 1}: " if mark else ""
        raise BadFleet(f"{place}{error.problem}") from None
    except yaml.YAMLError as error:
        raise BadFleet(str(error)) from None
    if not isinstance(values, dict):
        raise BadFleet("not a mapping of keys to values; docs/fleet.md has an example")
    try:
        # first as it stands, so that a fault in the defaults is placed there
        msgspec.convert(values.get("defaults", {}), config.Settings)
    except msgspec.ValidationError as error:
        raise BadFleet(_placed(str(error), values, under="defaults")) from None
    try:
        return msgspec.convert(_with_defaults(values), Fleet)
    except msgspec.ValidationError as error:
        raise BadFleet(_placed(str(error), values)) from None


def _with_defaults(values: dict[str, Any]) -> dict[str, Any]:
    defaults, models = values.get("defaults", {}), values.get("models")
    if not isinstance(models, list):
        return values
    return {**values, "models": [{**defaults, **each} if isinstance(each, dict) else each for each in models]}


def _placed(message: str, values: dict[str, Any], *, under: str = "") -> str:
    """msgspec's sentence with the place in front, names beside numbers, and a likely spelling where a field is unknown."""
    fault, _, path = message.partition(" - at `$")
    place = ".".join(each for each in (under, path.strip("`").strip(".")) if each)
    place = _INDEX.sub(lambda found: _named(found, values), place)
    unknown = _UNKNOWN.search(fault)
    if unknown:
        fault += f"; {_advice(unknown.group(1))}"
    return f"{place}: {fault}" if place else fault


def _advice(field: str) -> str:
    if field in _FIELDS:
        return "it belongs elsewhere (docs/fleet.md)"
    close = difflib.get_close_matches(field, _FIELDS, n=1)
    return f"did you mean `{close[0]}`?" if close else "docs/fleet.md lists all fields"


def _named(found: re.Match[str], values: dict[str, Any]) -> str:
    entry = values[found.group(1)][int(found.group(2))]
    name = entry.get("name") if isinstance(entry, dict) else None
    return f"{found.group(0)} ({name})" if name else found.group(0)
