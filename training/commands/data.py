"""``data``: from raw text and models to rows that can be trained on."""

from __future__ import annotations

from collections.abc import Callable

from training.commands import corpus, magpie, pack, preferences, tokenise, translate
from training.commands.types import Commands

STAGES: tuple[Callable[[Commands], None], ...] = (
    corpus.add,
    magpie.add,
    translate.add,
    preferences.add,
    tokenise.add,
    pack.add,
)


def add(commands: Commands) -> None:
    parser = commands.add_parser("data", help="make, clean, translate, tokenise and pack rows")
    stages = parser.add_subparsers(dest="stage", required=True)
    for add_stage in STAGES:
        add_stage(stages)
