"""What ``DATA/`` and ``BASE/`` in recipes stand for on this machine, and where tokens are kept."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from training.errors import BadRecipe

DATA, BASE, TOKENS = "LEHIA_TRAINING_DATA", "LEHIA_TRAINING_BASE", "LEHIA_TRAINING_TOKENS"


@dataclass(frozen=True, slots=True)
class Roots:
    """Folders of this machine.

    Parameters
    ----------
    data
        What ``DATA/`` stands for; the environment's ``LEHIA_TRAINING_DATA`` if left out.
    base
        What ``BASE/`` stands for; ``LEHIA_TRAINING_BASE`` if left out.
    tokens
        Where tokenised sources and plans of rows are kept; ``LEHIA_TRAINING_TOKENS`` if left out, or else ``var/tokens``.
    """

    data: Path | None = None
    base: Path | None = None
    tokens: Path | None = None

    @classmethod
    def of(cls, options: argparse.Namespace) -> Roots:
        """From a command that has :func:`add_options`."""
        return cls(options.data, options.base, options.tokens)

    @property
    def store(self) -> Path:
        """The folder of tokens."""
        return self.tokens or Path(os.environ.get(TOKENS) or "var/tokens")


def add_options(parser: argparse._ActionsContainer) -> None:
    """``--data``, ``--base`` and ``--tokens``."""
    parser.add_argument("--data", type=Path, help=f"what DATA/ in recipes stands for (or {DATA})")
    parser.add_argument("--base", type=Path, help=f"what BASE/ in recipes stands for (or {BASE})")
    parser.add_argument("--tokens", type=Path, help=f"where tokens are kept (or {TOKENS}, or var/tokens)")


def resolve(path: str, roots: Roots) -> Path:
    """From a path in a recipe to one on this machine; any other path is taken as it is.

    Raises
    ------
    BadRecipe
        Where nothing says what ``DATA/`` or ``BASE/`` stands for, what is said is no folder, or the path leads out of it.
    """
    name, slash, rest = path.partition("/")
    known: Mapping[str, tuple[Path | None, str]] = {"DATA": (roots.data, DATA), "BASE": (roots.base, BASE)}
    if not slash or name not in known:
        return Path(path)
    given, variable = known[name]
    root = given or (Path(os.environ[variable]) if os.environ.get(variable) else None)
    if root is None:
        raise BadRecipe(f"{path}: say what {name}/ stands for, by --{name.lower()} DIR or {variable}")
    if not root.is_dir():
        raise BadRecipe(f"{path}: {name}/ stands for {root}, and there is no such folder")
    if ".." in Path(rest).parts:
        raise BadRecipe(f"{path}: leads out of {name}/")
    return root / rest
