"""Options of the commands that ask a model server."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.data.asking.endpoint import Endpoint
    from training.data.asking.pace import Pace
    from training.data.asking.pool import Pool


def positive(text: str) -> int:
    """An option's number, 1 or more."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def rate(text: str) -> float:
    """An option's number above zero."""
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError(text)
    return number


def add_endpoint_options(parser: argparse.ArgumentParser) -> None:
    """Whom to ask, and how hard."""
    parser.add_argument(
        "--url", required=True, help="of a server that speaks OpenAI's API, up to and with /v1"
    )
    parser.add_argument("--model", required=True, help="by the name that the server knows")
    parser.add_argument(
        "--api-key-variable", metavar="NAME", help="the environment variable that holds the server's key"
    )
    parser.add_argument("--concurrency", type=positive, default=16, help="rows under way at a time")
    parser.add_argument("--requests-per-minute", type=rate, help="no more than so many, retries included")
    parser.add_argument("--deadline", type=rate, default=600.0, metavar="SECONDS", help="for one request")
    parser.add_argument(
        "--attempts", type=positive, default=8, help="of one request, before its row is left open"
    )
    parser.add_argument(
        "--leave-unanswered",
        action="store_true",
        help="drop and count rows for which all attempts fail while others are answered",
    )
    parser.add_argument("--seed", type=int, default=33)


def endpoint_of(
    options: argparse.Namespace, *, url: str, model: str, api_key_variable: str | None
) -> Endpoint:
    from training.data.asking.endpoint import Endpoint, api_key_from

    return Endpoint(
        url=url,
        model=model,
        api_key=api_key_from(api_key_variable),
        deadline_s=options.deadline,
        attempts=options.attempts,
    )


def pace_of(options: argparse.Namespace) -> Pace:
    from training.data.asking.pace import Pace

    return Pace(options.requests_per_minute)


def pool_of(options: argparse.Namespace) -> Pool:
    from training.data.asking.pool import Pool

    return Pool(options.concurrency, leave_unanswered=options.leave_unanswered)
