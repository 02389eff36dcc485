"""``data preferences``: the arena's votes into pairs for DPO."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.commands.endpoint_options import positive
from training.commands.types import Commands


def add(commands: Commands) -> None:
    parser = commands.add_parser("preferences", help="make pairs for DPO of the arena's exports")
    parser.add_argument(
        "exports", nargs="+", type=Path, metavar="EXPORT", help="files of battles, or folders of them"
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="FILE", help=".jsonl, .jsonl.gz or .jsonl.zst"
    )
    parser.add_argument("--criterion", choices=("overall", "content", "language"), default="overall")
    parser.add_argument(
        "--several-turns",
        choices=("drop", "first"),
        default="drop",
        help="of battles whose chats differ before the last answer, take none, or the first answers that differ",
    )
    parser.add_argument(
        "--held-out", type=_share, default=0.05, metavar="SHARE", help="of prompts, by their hash"
    )
    parser.add_argument("--min-level", choices=("A1-A2", "B1-B2", "C1-C2"), help="the voter's Basque")
    parser.add_argument("--min-answer-chars", type=positive, default=1)
    parser.add_argument("--seed", type=int, default=33, help="of the hold-out")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> object:
    from training.data.preferences import Choice, Criterion, SeveralTurns, preferences
    from training.data.rows import inputs

    choice = Choice(
        criterion=Criterion(options.criterion),
        several_turns=SeveralTurns(options.several_turns),
        held_out=options.held_out,
        seed=options.seed,
        min_level=options.min_level,
        min_answer_chars=options.min_answer_chars,
    )
    return preferences(inputs(options.exports), options.output, choice)


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share < 1:
        raise ValueError(text)
    return share
