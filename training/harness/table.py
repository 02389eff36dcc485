"""Which tasks the study ran, how it ran them, and what the harness calls them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal

import pydantic
import yaml

from training.errors import BadRecipe
from training.parts import Strict

HERE = Path(__file__).parent
OWN_TASKS = HERE / "tasks"

Language = Literal["eu", "en", "es"]


class Task(Strict):
    """One benchmark.

    Parameters
    ----------
    name
        As the study's tables have it.
    language
        Of the benchmark.
    shots
        Examples before each question; the harness gives them as turns of a chat.
    own
        Whether its file is ours, since upstream has none.
    upstream
        What the harness calls it.
    parts
        How the names of its parts begin, where the harness gives no score of the whole; empty if it does.
    unverified
        What could not be checked without the data; empty if nothing.
    """

    name: str
    language: Language
    shots: int = pydantic.Field(ge=0)
    own: bool = False
    upstream: str
    parts: str = ""
    unverified: str = ""


@cache
def tasks() -> tuple[Task, ...]:
    """All 29, in the order of the study's tables."""
    table = yaml.safe_load((HERE / "tasks.yaml").read_text())
    return tuple(
        Task.model_validate({"shots": table["shots"], "upstream": name} | fields | {"name": name})
        for name, fields in table["tasks"].items()
    )


def chosen(names: Sequence[str], languages: Sequence[str]) -> tuple[Task, ...]:
    """The tasks of these names and languages; all where nothing is said.

    Raises
    ------
    BadRecipe
        For a name that is none of the study's.
    """
    known = {task.name for task in tasks()}
    if unknown := [name for name in names if name not in known]:
        raise BadRecipe(f"no task is called {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    return tuple(
        task
        for task in tasks()
        if (not names or task.name in names) and (not languages or task.language in languages)
    )
