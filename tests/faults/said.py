"""What the stack's model servers say: known word for word, so that a lost or doubled character shows. ``python -m tests.faults.said PORT`` serves it."""

from __future__ import annotations

import asyncio
import signal
import sys

from inference.fakes.__main__ import serve
from inference.fakes.server import FakeModelServer

RATE = 60.0
"""Words a second."""
_SENTENCES = 12
_A_PARAGRAPH = 3


def words_of(port: int) -> tuple[str, ...]:
    """A server's one answer: numbered sentences of letters of one, two and three bytes, in paragraphs and a list."""
    text = ""
    for number in range(1, _SENTENCES + 1):
        start = "- " if number > _SENTENCES - _A_PARAGRAPH else ""
        text += f"{start}Zerbitzari honen {number}. esaldia da ñabardura 日本 eta {port}."
        text += "\n" if start else " " if number % _A_PARAGRAPH else "\n\n"
    return tuple(word + " " for word in text.strip().split(" "))


def text_of(port: int) -> str:
    return "".join(words_of(port))


async def main(port: int) -> None:
    server = FakeModelServer(words=words_of(port), rate=RATE, remembers=False)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await serve(server, port=port, ended=ended)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
