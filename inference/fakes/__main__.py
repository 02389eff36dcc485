"""The scripted server on the command line, until it is interrupted."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence

from inference.fakes.faults import Fault
from inference.fakes.server import FakeModelServer


def parse(arguments: Sequence[str] | None = None) -> tuple[FakeModelServer, int]:
    parser = argparse.ArgumentParser(prog="python -m inference.fakes", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="a free one where it is 0")
    parser.add_argument("--fault", type=Fault, choices=list(Fault), default=Fault.NONE)
    parser.add_argument(
        "--script", default="", help="faults of the first requests, with commas: 503,429,none"
    )
    parser.add_argument("--rate", type=float, help="words a second; all at once where it is left out")
    parser.add_argument("--words", type=int, default=200, help="length of an answer")
    parser.add_argument("--reasons", action="store_true", help="hidden reasoning before the words")
    parser.add_argument("--retry-after", default="7")
    parser.add_argument("--model", action="append", help="listed by /v1/models; may be repeated")
    given = parser.parse_args(arguments)
    script = [Fault(each.strip()) for each in given.script.split(",") if each.strip()]
    words = tuple(f" hitz{number}" for number in range(given.words))
    server = FakeModelServer(
        words=words,
        fault=given.fault,
        script=script,
        rate=given.rate,
        reasons=given.reasons,
        retry_after=given.retry_after,
        models=tuple(given.model or ("eredua",)),
        remembers=False,
    )
    return server, given.port


async def serve(server: FakeModelServer, *, port: int, ended: asyncio.Event) -> None:
    """Print the address, then serve until *ended* is set."""
    await server.start(port=port)
    print(server.base_url, flush=True)  # noqa: T201  the one result of a command
    try:
        await ended.wait()
    finally:
        await server.stop()


async def main() -> int:
    server, port = parse()
    ended = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, ended.set)
    await serve(server, port=port, ended=ended)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
