"""``python -m benchmarks.relay_gradio WAY``: the same two streams by Gradio, two chatbots side by side. Runs where the peers are.

``gradio`` is the way of arenas on Gradio, FastChat's first: a synchronous generator steps the two streams in turn, read by the SDK, and yields both chatbots at
each step. ``gradio-tuned`` is given what helps Gradio: an asynchronous reader and one update every 30 ms for whatever came. Neither has a limit of handlers at work.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Any

import aiohttp
import gradio
import openai
import orjson

TICK_S = 0.03
THREADS = 1000
Chat = list[dict[str, str]]


def _shown(text: str, answer: str) -> Chat:
    return [{"role": "user", "content": text}, {"role": "assistant", "content": answer}]


def stepping(upstream: str) -> Callable[[str], Iterator[tuple[Chat, ...]]]:
    client = openai.OpenAI(base_url=upstream, api_key="none", max_retries=0)

    def side(text: str) -> Iterator[Chat]:
        answer = ""
        for chunk in client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": text}], stream=True
        ):
            if chunk.choices and chunk.choices[0].delta.content:
                answer += chunk.choices[0].delta.content
                yield _shown(text, answer)

    def battle(text: str) -> Iterator[tuple[Chat, ...]]:
        sides = [side(text), side(text)]
        chats = [_shown(text, "") for _ in sides]
        while any(news := [next(each, None) for each in sides]):
            chats = [new or old for new, old in zip(news, chats, strict=True)]
            yield tuple(chats)

    return battle


def tuned(upstream: str) -> Callable[[str], AsyncGenerator[tuple[Chat, ...], None]]:
    sessions: list[aiohttp.ClientSession] = []

    async def read(text: str, parts: list[str]) -> None:
        if not sessions:  # made inside Gradio's loop
            sessions.append(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": text}]}
        url, timeout = f"{upstream}/chat/completions", aiohttp.ClientTimeout(total=None)
        async with sessions[0].post(url, json=body, timeout=timeout) as response:
            async for line in response.content:
                if line.startswith(b"data: {"):
                    choices = orjson.loads(line[6:])["choices"]
                    parts.extend(choice["delta"].get("content") or "" for choice in choices)

    async def battle(text: str) -> AsyncGenerator[tuple[Chat, ...], None]:
        sides: tuple[list[str], list[str]] = ([], [])
        reading = asyncio.gather(*(read(text, parts) for parts in sides))
        while not reading.done():
            await asyncio.sleep(TICK_S)
            yield tuple(_shown(text, "".join(parts)) for parts in sides)
        await reading

    return battle


def application(battle: Callable[[str], Any]) -> gradio.Blocks:
    with gradio.Blocks() as page:
        with gradio.Row():
            chats = [gradio.Chatbot(), gradio.Chatbot()]
        message = gradio.Textbox()
        message.submit(battle, [message], chats, concurrency_limit=None)
    return page.queue(max_size=None, default_concurrency_limit=None)


WAYS: dict[str, Callable[[str], Callable[[str], Any]]] = {"gradio": stepping, "gradio-tuned": tuned}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.relay_gradio", description=__doc__)
    parser.add_argument("way", choices=[*WAYS])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--upstream", required=True, help="the model server's address, with /v1")
    options = parser.parse_args()
    page = application(WAYS[options.way](options.upstream))
    page.launch(server_name="127.0.0.1", server_port=options.port, quiet=True, max_threads=THREADS)


if __name__ == "__main__":
    main()
