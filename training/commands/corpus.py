"""``data corpus``: raw text into a clean corpus."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from training.commands.types import Commands
from training.data.cleaning.options import Options
from training.data.cleaning.options import options as checked

_MOST_PROCESSES = 5  # what 1.5 GB hold: 200 MB each, 300 for the one that starts them


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "corpus", help="clean raw text: languages, boilerplate, duplicates, evaluation sets"
    )
    parser.add_argument(
        "inputs",
        nargs="+",
        type=Path,
        metavar="INPUT",
        help="JSON lines, Parquet, plain text, HTML; or folders",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER")
    parser.add_argument(
        "--against", nargs="+", action="extend", type=Path, default=[], metavar="FILE", help="evaluation rows"
    )
    parser.add_argument(
        "--processes", type=_positive, help=f"the cores, {_MOST_PROCESSES} at most, if left out"
    )
    group = parser.add_argument_group("what shapes the output")
    for name, field in Options.model_fields.items():
        group.add_argument(
            f"--{name.replace('_', '-')}",
            default=field.default,
            help=f"{field.description} ({said(field.default)})",
            **_kind(field.annotation, field.default),
        )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> object:
    from training.data.cleaning.run import clean_corpus
    from training.data.cleaning.sources import files
    from training.data.rows import inputs

    values = {name: getattr(options, name) for name in Options.model_fields}
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    return clean_corpus(
        files(options.inputs),
        options.output,
        checked(**values),
        against=inputs(options.against),
        processes=options.processes or min(len(os.sched_getaffinity(0)), _MOST_PROCESSES),
    )


def _kind(annotation: Any, default: object) -> dict[str, Any]:
    """How argparse reads a value of an option's type."""
    if isinstance(default, bool):
        return {"action": argparse.BooleanOptionalAction}
    if isinstance(default, tuple):
        choices = get_args(get_args(annotation)[0])
        return {"nargs": "*", "metavar": "NAME"} | ({"choices": choices} if choices else {})
    if get_origin(annotation) is Literal:
        return {"choices": get_args(annotation)}
    return {"type": type(default), "metavar": "SHARE" if isinstance(default, float) else "N"}


def said(default: object) -> str:
    """A default as the help and the documentation show it."""
    if isinstance(default, tuple):
        return " ".join(default) or "none"
    if isinstance(default, bool):
        return "yes" if default else "no"
    return f"{default:,}" if isinstance(default, int) else str(default)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number
