"""``python -m benchmarks.relay_bare WAY``: the same two streams relayed without a site: no page, no session, no database, no Markdown.

``bare`` reads the events by aiohttp and decodes only what it needs: the least that Python can do. ``openai`` reads them as the SDK's own objects, as its
documentation shows. Both forward each token as a frame of its own. They understand the frames of the site's client, so one load generator drives all.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncGenerator, Callable

import aiohttp
import msgspec
import openai
import uvloop
from aiohttp import web

Tokens = Callable[[str], AsyncGenerator[str, None]]


class _Delta(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta


class _Chunk(msgspec.Struct):
    choices: list[_Choice]


_decode = msgspec.json.Decoder(_Chunk).decode


def request_of(text: str) -> dict[str, object]:
    return {"model": "m", "stream": True, "messages": [{"role": "user", "content": text}]}


def bare(upstream: str) -> Tokens:
    sessions: list[aiohttp.ClientSession] = []

    async def tokens(text: str) -> AsyncGenerator[str, None]:
        if not sessions:  # made inside the loop
            sessions.append(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        url = f"{upstream}/chat/completions"
        timeout = aiohttp.ClientTimeout(total=None)
        async with sessions[0].post(url, json=request_of(text), timeout=timeout) as response:
            async for line in response.content:
                if line.startswith(b"data: {"):
                    for choice in _decode(line[6:]).choices:
                        if choice.delta.content:
                            yield choice.delta.content

    return tokens


def sdk(upstream: str) -> Tokens:
    client = openai.AsyncOpenAI(base_url=upstream, api_key="none", max_retries=0)

    async def tokens(text: str) -> AsyncGenerator[str, None]:
        messages: list[openai.types.chat.ChatCompletionMessageParam] = [{"role": "user", "content": text}]
        stream = await client.chat.completions.create(model="m", messages=messages, stream=True)
        async with stream:
            async for chunk in stream:
                if chunk.choices and chunk.choices[0].delta.content:
                    yield chunk.choices[0].delta.content

    return tokens


def application(tokens: Tokens) -> web.Application:
    async def side(socket: web.WebSocketResponse, name: str, text: str) -> None:
        async for token in tokens(text):
            word = msgspec.json.encode(token).decode()
            await socket.send_str(f'{{"type":"delta","side":"{name}","text":{word}}}')

    async def battle(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False, protocols=["lehia.v1"])
        await socket.prepare(request)
        turn = await socket.receive_json()
        try:
            async with asyncio.TaskGroup() as group:
                for name in ("A", "B"):
                    group.create_task(side(socket, name, turn["text"]))
            await socket.send_str('{"type":"state","status":"ready"}')
        except* ConnectionError:
            pass  # the volunteer left
        await socket.close()
        return socket

    app = web.Application()
    app.router.add_get("/ws/battle/", battle)
    return app


WAYS = {"bare": bare, "openai": sdk}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.relay_bare", description=__doc__)
    parser.add_argument("way", choices=[*WAYS])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--upstream", required=True, help="the model server's address, with /v1")
    options = parser.parse_args()
    app = application(WAYS[options.way](options.upstream))
    web.run_app(
        app, host="127.0.0.1", port=options.port, print=None, access_log=None, loop=uvloop.new_event_loop()
    )


if __name__ == "__main__":
    main()
