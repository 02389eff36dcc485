"""Which analysis is asked for on the command line, and of which judgements."""

from __future__ import annotations

import argparse

from ranking.analysis import ANALYSES, DEFAULT_WAY, WAYS
from ranking.judgements import Judgements, read_judgements
from ranking.rows import Table
from ranking.selection import FIELDS, LENGTHS, TURNS, Selection
from ranking.types import Criterion

BOARD = "board"
_HELP = {
    "campaign": "the campaign's code",
    "since": "a day in UTC, such as 2026-03-19: votes from then on",
    "until": "a day in UTC: votes before it",
    "level": "as declared, or undeclared",
    "education": "as declared, or undeclared",
    "language": "of the first message, as measured, or unmeasured",
    "turns": "how many messages: " + ", ".join(TURNS),
    "length": "of the first message, in characters: " + ", ".join(LENGTHS),
    "display": "how answers were shown: paced, unpaced or whole",
    "exclude": "reasons that exclude a vote, joined by full stops, or none; every reason if left out",
}


def add_analysis_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "analyses and filters",
        "of a file of the export layout judgements, of which votes that count are read",
    )
    group.add_argument("--analysis", choices=list(ANALYSES), default=BOARD, help="the board if left out")
    group.add_argument(
        "--by", choices=list(WAYS), default=DEFAULT_WAY, help="what the analysis slices cuts votes by"
    )
    for name in FIELDS:
        group.add_argument(f"--{name}", default="", metavar=name.upper(), help=_HELP[name])


def selection_of(options: argparse.Namespace) -> Selection:
    """Raises ``BadInput`` for a value that cannot be one."""
    return Selection.of(vars(options))


def chosen_judgements(table: Table, options: argparse.Namespace, criterion: Criterion) -> Judgements:
    """Those of a criterion that the options choose. Raises ``BadInput`` with line and column."""
    whole = read_judgements(table, criterion)
    return whole.taken(selection_of(options).matching(whole))
