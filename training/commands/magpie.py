"""``data magpie``: instructions that a model writes by itself, and its answers."""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.commands.endpoint_options import (
    add_endpoint_options,
    endpoint_of,
    pace_of,
    pool_of,
    positive,
    rate,
)
from training.commands.types import Commands

if TYPE_CHECKING:
    from training.data.magpie.run import Plan

_QUALITIES = ("very poor", "poor", "average", "good", "excellent")


def add(commands: Commands) -> None:
    parser = commands.add_parser("magpie", help="sample instructions from a model, and its answers")
    add_endpoint_options(parser)
    parser.add_argument("--rows", type=positive, required=True, help="how many chats")
    parser.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="a run goes on from what is there"
    )
    parser.add_argument("--variant", choices=("english", "basque"), default="english")
    parser.add_argument(
        "--candidates", type=positive, help="instructions to sample; 3.64 a row, as in the paper, if left out"
    )
    parser.add_argument(
        "--start-token",
        choices=("auto", "ours", "servers"),
        default="auto",
        help="who writes <|begin_of_text|>: prompts, or a server that puts one before each; auto asks it",
    )
    parser.add_argument("--tagger-url", help="of a server of chats; the same server if left out")
    parser.add_argument("--tagger-model", help="the same model if left out")
    parser.add_argument("--tagger-api-key-variable", metavar="NAME")
    parser.add_argument("--no-tags", action="store_true", help="ask for no tags and keep every quality")
    parser.add_argument("--keep-quality", nargs="+", choices=_QUALITIES, default=["good", "excellent"])
    for stage, temperature, top_p, tokens in (("instruction", 0.8, 1.0, 1024), ("answer", 0.6, 0.9, 4096)):
        parser.add_argument(f"--{stage}-temperature", type=rate, default=temperature)
        parser.add_argument(f"--{stage}-top-p", type=rate, default=top_p)
        parser.add_argument(f"--{stage}-tokens", type=positive, default=tokens, help="at most")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> object:
    report = asyncio.run(_run(options))
    if report["short_by"]:
        print(  # noqa: T201  # a warning
            f"{report['rows']} of {report['wanted']} rows: run again with more --candidates than "
            f"{report['instructions']['sampled']} to get the others",
            file=sys.stderr,
        )
    return report


async def _run(options: argparse.Namespace) -> dict[str, Any]:
    from training.data.asking.endpoint import Client
    from training.data.magpie.run import Asked, make
    from training.data.magpie.start_token import StartToken, writes_ours

    pace = pace_of(options)
    tagger_url = options.tagger_url or options.url
    async with AsyncExitStack() as stack:
        backbone = await stack.enter_async_context(
            Client(
                endpoint_of(
                    options, url=options.url, model=options.model, api_key_variable=options.api_key_variable
                ),
                pace,
            )
        )
        tagger = None
        if not options.no_tags:
            own_server = tagger_url != options.url
            key = options.tagger_api_key_variable or (None if own_server else options.api_key_variable)
            tagger = await stack.enter_async_context(
                Client(
                    endpoint_of(
                        options,
                        url=tagger_url,
                        model=options.tagger_model or options.model,
                        api_key_variable=key,
                    ),
                    pace_of(options) if own_server else pace,
                )
            )
        bos = await writes_ours(backbone, StartToken(options.start_token))
        return await make(_plan(options), options.output, Asked(backbone, tagger, pool_of(options), bos))


def _plan(options: argparse.Namespace) -> Plan:
    from training.data.asking.endpoint import Sampling
    from training.data.magpie.prompts import EOT, Variant
    from training.data.magpie.run import CANDIDATES_A_ROW, Plan

    return Plan(
        rows=options.rows,
        candidates=options.candidates or math.ceil(options.rows * CANDIDATES_A_ROW),
        model=options.model,
        variant=Variant(options.variant),
        tagger=None if options.no_tags else options.tagger_model or options.model,
        keep=tuple(options.keep_quality),
        seed=options.seed,
        instruction=Sampling(
            options.instruction_temperature, options.instruction_top_p, options.instruction_tokens, (EOT,)
        ),
        answer=Sampling(options.answer_temperature, options.answer_top_p, options.answer_tokens, (EOT,)),
    )
