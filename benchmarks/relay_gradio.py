"""``python -m benchmarks.relay_gradio``: the same two streams by Gradio, two chatbots side by side as arenas on Gradio have them. Runs where the peers are.

Gradio is given what helps it: an asynchronous reader, no limit on handlers at work, and one update every 30 ms for whatever came on both sides.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
import gradio
import orjson

TICK_S = 0.03
_sessions: list[aiohttp.ClientSession] = []


async def _read(url: str, text: str, parts: list[str]) -> None:
    if not _sessions:  # made inside Gradio's loop
        _sessions.append(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": text}]}
    async with _sessions[0].post(url, json=body, timeout=aiohttp.ClientTimeout(total=None)) as response:
        async for line in response.content:
            if line.startswith(b"data: {"):
                for choice in orjson.loads(line[6:])["choices"]:
                    parts.append(choice["delta"].get("content") or "")


def application(upstream: str) -> gradio.Blocks:
    async def answer(text: str) -> AsyncGenerator[tuple[Any, ...], None]:
        sides: tuple[list[str], list[str]] = ([], [])
        async with asyncio.TaskGroup() as group:
            readers = [
                group.create_task(_read(f"{upstream}/chat/completions", text, parts)) for parts in sides
            ]
            while not all(reader.done() for reader in readers):
                await asyncio.sleep(TICK_S)
                yield tuple(_shown(text, parts) for parts in sides)
        yield tuple(_shown(text, parts) for parts in sides)

    with gradio.Blocks() as page:
        with gradio.Row():
            chats = [gradio.Chatbot(), gradio.Chatbot()]
        message = gradio.Textbox()
        message.submit(answer, [message], chats, concurrency_limit=None)
    return page.queue(max_size=None, default_concurrency_limit=None)


def _shown(text: str, parts: list[str]) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}, {"role": "assistant", "content": "".join(parts)}]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.relay_gradio", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--upstream", required=True, help="the model server's address, with /v1")
    options = parser.parse_args()
    application(options.upstream).launch(server_name="127.0.0.1", server_port=options.port, quiet=True)


if __name__ == "__main__":
    main()
