"""The scripted server: it must fail exactly as asked, since every other test believes it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from inference.fakes import FakeModelServer, Fault, fake_model_server
from inference.fakes.__main__ import parse, serve

PATHS = ["/v1/chat/completions", "/v1/messages"]


@asynccontextmanager
async def posted(server: FakeModelServer, path: str = PATHS[0]) -> AsyncIterator[aiohttp.ClientResponse]:
    root = server.base_url.removesuffix("/v1")
    async with (
        aiohttp.ClientSession() as session,
        session.post(root + path, json={"model": "eredua"}, allow_redirects=False) as response,
    ):
        yield response


async def read(server: FakeModelServer, path: str = PATHS[0]) -> str:
    async with posted(server, path) as response:
        return await response.text()


async def get(server: FakeModelServer, path: str, **headers: str) -> tuple[int, str]:
    root = server.base_url.removesuffix("/v1")
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(root + path) as response,
    ):
        return response.status, await response.text()


def payloads(text: str) -> list[dict[str, object]]:
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


async def test_openais_stream_is_role_reasoning_words_reason_and_usage() -> None:
    async with fake_model_server(FakeModelServer(reasons=True)) as server:
        text = await read(server)
    deltas = [chunk["choices"][0] for chunk in payloads(text) if chunk["choices"]]  # type: ignore[index]  # JSON
    assert [next(iter(each["delta"].items()), None) for each in deltas] == [
        ("role", "assistant"),
        ("reasoning", "isilpekoa"),
        ("reasoning_content", "isilpekoa"),
        ("content", "Kaixo"),
        ("content", " mundua"),
        None,
    ]
    assert deltas[-1]["finish_reason"] == "stop"
    assert payloads(text)[-1] == {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}
    assert text.startswith(":")
    assert text.endswith("data: [DONE]\n\n")


async def test_anthropics_stream_opens_and_closes_its_blocks() -> None:
    async with fake_model_server(FakeModelServer(reasons=True)) as server:
        events = payloads(await read(server, PATHS[1]))
    assert [(each["type"], each.get("index")) for each in events] == [
        ("message_start", None),
        ("ping", None),
        ("content_block_start", 0),
        ("content_block_delta", 0),
        ("content_block_delta", 0),
        ("content_block_delta", 0),
        ("content_block_stop", 0),
        ("content_block_start", 1),
        ("content_block_delta", 1),
        ("content_block_delta", 1),
        ("content_block_stop", 1),
        ("message_delta", None),
        ("message_stop", None),
    ]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("fault", [fault for fault in Fault if fault.status])
async def test_statuses_are_statuses_with_an_error_as_json(fault: Fault, path: str) -> None:
    async with fake_model_server(FakeModelServer(fault=fault)) as server, posted(server, path) as response:
        assert response.status == fault.status
        assert (await response.json())["error"]["message"] == "scripted"
        told = response.headers.get("Retry-After")
    assert told == ("7" if fault.status in {429, 503, 529} else None)


async def test_a_script_is_followed_and_then_the_fault_holds() -> None:
    script = [Fault.UNAVAILABLE, Fault.RATE_LIMITED, Fault.NONE]
    async with fake_model_server(FakeModelServer(script=script, fault=Fault.NOT_FOUND)) as server:
        statuses = []
        for _ in range(5):
            async with posted(server) as response:
                statuses.append(response.status)
    assert statuses == [503, 429, 200, 404, 404]
    assert server.requests == 5


class Noting:
    """Words made while they are sent, with the time at which each was asked for."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.asked: list[float] = []

    def __iter__(self) -> Iterator[str]:
        for number in range(self.count + 1):
            self.asked.append(asyncio.get_running_loop().time())
            if number < self.count:
                yield f" {number}"


async def test_no_word_comes_before_its_time_and_words_may_be_made_meanwhile() -> None:
    words = Noting(10)
    async with fake_model_server(FakeModelServer(words=words, rate=200)) as server:
        started = asyncio.get_running_loop().time()
        assert '"completion_tokens": 10' in await read(server)
    # the next word is asked for once the last one is sent
    sent = [time - started for time in words.asked[1:]]
    assert [index for index, time in enumerate(sent) if time < index / 200 - 0.001] == []


async def test_split_characters_arrive_a_byte_a_chunk() -> None:
    async with (
        fake_model_server(FakeModelServer(words=("ñ",), fault=Fault.SPLIT_UTF8)) as server,
        posted(server) as response,
    ):
        chunks = [data async for data, _ in response.content.iter_chunks() if data]
    assert {len(chunk) for chunk in chunks} == {1}
    assert '"ñ"' in b"".join(chunks).decode()


async def test_packed_events_are_one_chunk() -> None:
    async with fake_model_server(FakeModelServer(fault=Fault.PACKED)) as server, posted(server) as response:
        chunks = [data async for data, _ in response.content.iter_chunks() if data]
    assert len(chunks) == 1


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("fault", [Fault.BAD_UTF8, Fault.CUT_UTF8])
async def test_half_a_character_is_half_a_character(fault: Fault, path: str) -> None:
    async with fake_model_server(FakeModelServer(fault=fault)) as server, posted(server, path) as response:
        with pytest.raises(UnicodeDecodeError):
            (await response.read()).decode()


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.DIES])
async def test_a_broken_connection_is_counted_as_left(fault: Fault) -> None:
    async with fake_model_server(FakeModelServer(fault=fault)) as server:
        with pytest.raises(aiohttp.ClientError):
            await read(server)
        await server.wait_until(live=0, cancelled=1)


async def test_a_loop_goes_on_repeating_itself() -> None:
    async with fake_model_server(FakeModelServer(fault=Fault.LOOPS)) as server:
        assert (await read(server)).count("berriz hasi zen") == 5_000


async def test_a_stopped_server_comes_back_on_its_port() -> None:
    async with fake_model_server(FakeModelServer()) as server:
        port = server.port
        await server.stop()
        with pytest.raises(aiohttp.ClientConnectorError):
            await read(server)
        await server.stop()
        await server.start()
        assert server.port == port
        assert "Kaixo" in await read(server)


async def test_the_pages_beside_the_streams() -> None:
    server = FakeModelServer(gate=asyncio.Event(), waiting=4, models=("bat", "bi"))
    async with fake_model_server(server), posted(server):
        await server.wait_until(live=1)
        assert await get(server, "/health") == (200, "")
        _, metrics = await get(server, "/metrics")
        _, models = await get(server, "/v1/models")
    assert 'vllm:num_requests_running{engine="0",model_name="bat"} 1.0' in metrics
    assert 'vllm:num_requests_waiting{engine="0",model_name="bat"} 4.0' in metrics
    assert [row["id"] for row in json.loads(models)["data"]] == ["bat", "bi"]


@pytest.mark.parametrize(
    ("fault", "health", "models"),
    [(Fault.UNAVAILABLE, 503, 503), (Fault.NOT_FOUND, 200, 404), (Fault.DIES, 200, 200)],
)
async def test_pages_fail_with_their_server(fault: Fault, health: int, models: int) -> None:
    async with fake_model_server(FakeModelServer(fault=fault)) as server:
        assert (await get(server, "/health"))[0] == health
        assert (await get(server, "/v1/models"))[0] == models


@pytest.mark.parametrize("headers", [{"Authorization": "Bearer gakoa"}, {"x-api-key": "gakoa"}])
async def test_a_key_is_asked_for_in_either_form(headers: dict[str, str]) -> None:
    async with fake_model_server(FakeModelServer(api_key="gakoa")) as server:
        assert (await get(server, "/v1/models"))[0] == 401
        assert (await get(server, "/v1/models", **headers))[0] == 200
        assert "gakoa" not in repr(server)


def test_the_command_lines_words_mean_what_they_say() -> None:
    server, port = parse(
        [
            "--port",
            "9000",
            "--fault",
            "trickle",
            "--script",
            "503,none",
            "--rate",
            "50",
            "--words",
            "3",
            "--model",
            "a",
            "--model",
            "b",
        ]
    )
    assert (port, server.fault, server.script) == (9000, Fault.TRICKLE, [Fault.UNAVAILABLE, Fault.NONE])
    assert (server.rate, len(list(server.words)), server.models) == (50, 3, ("a", "b"))
    assert server.remembers is False


async def test_serving_prints_the_address_and_ends_when_told(capsys: pytest.CaptureFixture[str]) -> None:
    server, ended = FakeModelServer(), asyncio.Event()
    ended.set()
    await serve(server, port=0, ended=ended)
    assert capsys.readouterr().out == f"{server.base_url}\n"
    with pytest.raises(aiohttp.ClientConnectorError):
        await read(server)


async def test_the_command_serves_until_it_is_interrupted() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "inference.fakes", "--words", "2"), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    server = FakeModelServer(base_url=(await process.stdout.readline()).decode().strip())
    assert " hitz1" in await read(server)
    process.send_signal(signal.SIGINT)
    assert await process.wait() == 0
