"""``data translate``: chats from English into Basque."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Any

from training.commands.endpoint_options import (
    add_endpoint_options,
    endpoint_of,
    pace_of,
    pool_of,
    positive,
    rate,
)
from training.commands.types import Commands


def add(commands: Commands) -> None:
    parser = commands.add_parser("translate", help="translate chats from English into Basque")
    parser.add_argument(
        "inputs", nargs="+", type=Path, metavar="INPUT", help="files of chats, or folders of them"
    )
    add_endpoint_options(parser)
    parser.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="a run goes on from what is there"
    )
    parser.add_argument(
        "--translations",
        type=positive,
        default=3,
        metavar="K",
        help="ask for a text at most so often, each time with another seed, until nothing is wrong with what comes back",
    )
    parser.add_argument(
        "--piece-chars", type=positive, default=2000, help="longer texts are split by paragraph"
    )
    parser.add_argument(
        "--least-ratio", type=rate, default=0.5, help="of a translation's characters to its source's"
    )
    parser.add_argument("--most-ratio", type=rate, default=2.0)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> object:
    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> dict[str, Any]:
    from training.data.asking.endpoint import Client
    from training.data.rows import inputs
    from training.data.translation.checks import Limits
    from training.data.translation.run import Plan, translate

    plan = Plan(
        inputs=tuple(inputs(options.inputs)),
        model=options.model,
        attempts=options.translations,
        most_chars=options.piece_chars,
        limits=Limits(options.least_ratio, options.most_ratio),
        seed=options.seed,
    )
    endpoint = endpoint_of(
        options, url=options.url, model=options.model, api_key_variable=options.api_key_variable
    )
    async with Client(endpoint, pace_of(options)) as client:
        return await translate(plan, options.output, client, pool_of(options))
