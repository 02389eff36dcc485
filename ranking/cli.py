"""``python -m ranking FILE``: a board from a file of votes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ranking.board import build_board
from ranking.errors import BadInput
from ranking.formats import FORMATS, render
from ranking.readers import read_tally
from ranking.types import Criterion, TieRule

BAD_INPUT = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Print the board; 0 for any board, also an empty one, and 2 for input that cannot be used."""
    options = _parser().parse_args(argv)
    criterion = Criterion(options.criterion)
    try:
        _check(options)
    except BadInput as error:
        return _refuse(str(error))
    try:
        tally = read_tally(options.file, criterion=criterion)
    except BadInput as error:
        return _refuse(f"{options.file}: {error}")
    board = build_board(tally, criterion=criterion, ties=TieRule(options.ties), interval=options.interval)
    sys.stdout.write(render(board, options.format))
    return 0


def _refuse(message: str) -> int:
    sys.stderr.write(f"{message}\n")
    return BAD_INPUT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ranking", description="Rank models from a file of votes."
    )
    parser.add_argument("file", type=Path, help="pair counts or votes; CSV or JSON lines, plain or gzip")
    parser.add_argument(
        "--criterion",
        choices=[each.value for each in Criterion],
        default="overall",
        help="which winner of a vote to read; pair counts have overall alone",
    )
    parser.add_argument(
        "--ties",
        choices=["half", "rao-kupper", "drop"],
        default="half",
        help="half a win each, or left out; rao-kupper is not in this version",
    )
    parser.add_argument("--interval", type=float, default=0.95, help="confidence level, 0.95 if left out")
    parser.add_argument(
        "--cluster",
        default="auto",
        metavar="auto|none|COLUMN",
        help="auto and none both take votes as independent, also where a column names who voted; "
        "intervals by a column are not in this version",
    )
    parser.add_argument(
        "--cap-per-user-candidate",
        type=int,
        metavar="N",
        help="not in this version",
    )
    parser.add_argument("--format", choices=FORMATS, default="table")
    return parser


def _check(options: argparse.Namespace) -> None:
    if not 0 < options.interval < 1:
        raise BadInput("--interval is a probability between 0 and 1")
    if options.ties == "rao-kupper":
        raise BadInput("--ties rao-kupper is not in this version; use half or drop")
    if options.cluster not in {"auto", "none"}:
        raise BadInput("--cluster by a column is not in this version; use none")
    if options.cap_per_user_candidate is not None:
        raise BadInput("--cap-per-user-candidate is not in this version")
