"""The streaming interface against every way in which a server can answer, on both wire formats."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, aclosing, contextmanager
from dataclasses import replace

import pytest

from inference import errors, providers
from inference.fakes import FakeModelServer, Fault, fake_model_server
from inference.fakes.faults import FLOOD_WORDS
from inference.providers import exchange
from inference.types import Deadlines, Delta, Done, FinishReason, Provider, Reasoning
from tests.inference.asking import KEY, SHORT, ask, collect, held, released, said, thought

BOTH = [Provider.VLLM, Provider.ANTHROPIC]
FAILURES: list[tuple[Fault, type[errors.StreamError]]] = [
    (Fault.UNAUTHORIZED, errors.Unauthorized),
    (Fault.FORBIDDEN, errors.Unauthorized),
    (Fault.PAYMENT, errors.BadRequest),
    (Fault.NOT_FOUND, errors.ModelNotFound),
    (Fault.BAD_REQUEST, errors.BadRequest),
    (Fault.RATE_LIMITED, errors.RateLimited),
    (Fault.BROKEN, errors.ServerFailed),
    (Fault.UNAVAILABLE, errors.ServerFailed),
    (Fault.OVERLOADED, errors.ServerFailed),
    (Fault.REDIRECT, errors.ConnectFailed),
    (Fault.RESET, errors.ConnectFailed),
    (Fault.IN_BAND, errors.ServerFailed),
    (Fault.REFUSES_IN_BAND, errors.ServerFailed),
    (Fault.ERROR_BODY, errors.ServerFailed),
    (Fault.EMPTY_BODY, errors.MalformedStream),
    (Fault.EMPTY_ANSWER, errors.EmptyAnswer),
    (Fault.WHITE_SPACE, errors.EmptyAnswer),
    (Fault.GARBAGE, errors.MalformedStream),
    (Fault.NOT_A_STREAM, errors.MalformedStream),
    (Fault.BAD_UTF8, errors.MalformedStream),
    (Fault.CUT_UTF8, errors.MalformedStream),
    (Fault.DIES, errors.MalformedStream),
    (Fault.NO_END, errors.MalformedStream),
    (Fault.HANGS_SILENT, errors.StreamTimeout),
    (Fault.HANGS_FIRST, errors.StreamTimeout),
    (Fault.HANGS_AFTER_ROLE, errors.StreamTimeout),
    (Fault.HANGS_BETWEEN, errors.StreamTimeout),
    (Fault.TRICKLE, errors.StreamTimeout),
]


def deadlines_for(error: type[errors.StreamError]) -> Deadlines:
    """Short where the fault is a silence; else long, so that a slow machine ends nothing before its fault does."""
    return SHORT if error is errors.StreamTimeout else Deadlines()


@pytest.mark.parametrize("provider", BOTH)
@pytest.mark.parametrize(("fault", "error"), FAILURES)
async def test_every_fault_ends_in_its_typed_error_and_leaves_nothing(
    fault: Fault, error: type[errors.StreamError], provider: Provider
) -> None:
    async with fake_model_server(FakeModelServer(fault=fault, reasons=True)) as server:
        before = held()
        with pytest.raises(error):
            await collect(ask(server, provider, deadlines=deadlines_for(error)))
        await released(before)
    assert server.requests == 1  # nothing is retried behind our back, and no redirect is followed


GOOD = [Fault.NONE, Fault.SPLIT_UTF8, Fault.PACKED]
WORDS = ("Ñabardura ", "çok güzel ", "日本 ", "\U0001f44d\U0001f3fd", "\nbi lerro\n", '"komatxoak" \\ ')


@pytest.mark.parametrize("provider", BOTH)
@pytest.mark.parametrize("fault", GOOD)
async def test_a_good_answer_in_any_form_is_its_words_and_one_done(fault: Fault, provider: Provider) -> None:
    async with fake_model_server(FakeModelServer(fault=fault, words=WORDS, reasons=True)) as server:
        events = await collect(ask(server, provider))
    assert said(events) == "".join(WORDS)
    assert thought(events) == "isilpekoaisilpekoa"
    assert events[-1] == Done(FinishReason.STOP, 5, len(WORDS))
    assert sum(isinstance(event, Done) for event in events) == 1


@pytest.mark.parametrize("provider", BOTH)
async def test_a_reader_that_comes_late_is_given_all_that_waits_in_one_piece(provider: Provider) -> None:
    async with fake_model_server(FakeModelServer(fault=Fault.PACKED, words=WORDS, reasons=True)) as server:
        events = await collect(ask(server, provider))
    assert [type(event) for event in events] == [Reasoning, Delta, Done]


def test_words_before_the_broken_event_of_one_read_are_told_before_the_error() -> None:
    class Breaks:
        finished = False

        def take(self, event: bytes) -> list[Reasoning | Delta]:
            if event == b"!":
                raise errors.ServerFailed("gave up")
            return [Delta(event.decode())]

        def end(self) -> list[Done]:
            return []

    parts, trouble = exchange._texts(Breaks(), [b"ka", b"ixo", b"!", b"never"])
    assert parts == [Delta("kaixo")]
    assert isinstance(trouble, errors.ServerFailed)


@pytest.mark.parametrize("provider", BOTH)
@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("length", FinishReason.LENGTH),
        ("content_filter", FinishReason.OTHER),
        ("refusal", FinishReason.OTHER),
    ],
)
async def test_the_finish_reason_is_kept(told: str, reason: FinishReason, provider: Provider) -> None:
    async with fake_model_server(FakeModelServer(finish_reason=told)) as server:
        events = await collect(ask(server, provider))
    assert events[-1] == Done(reason, 5, 2)


@pytest.mark.parametrize("told", ["error", "abort"])
async def test_a_server_that_gives_up_has_failed(told: str) -> None:
    async with fake_model_server(FakeModelServer(finish_reason=told)) as server:
        with pytest.raises(errors.ServerFailed):
            await collect(ask(server))


async def test_a_hundred_thousand_tokens_arrive_whole() -> None:
    async with fake_model_server(FakeModelServer(fault=Fault.FLOOD)) as server:
        events = await collect(ask(server))
    assert events[-1] == Done(FinishReason.STOP, 5, FLOOD_WORDS)
    assert said(events) == "".join(f" {number}" for number in range(FLOOD_WORDS))


async def test_a_port_where_nobody_listens_is_a_connect_error() -> None:
    before = held()
    with pytest.raises(errors.ConnectFailed):
        await collect(ask("http://127.0.0.1:9/v1", deadlines=SHORT))
    await released(before)


@contextmanager
def full_port() -> Iterator[int]:
    """A port whose queue is full: the system answers no further connection."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        port = server.getsockname()[1]
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        yield port


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse where Linux is silent")
async def test_a_host_that_never_answers_ends_at_the_connect_deadline() -> None:
    deadlines = Deadlines(connect_s=0.2, first_token_s=3600, between_tokens_s=3600, total_s=3600)
    with full_port() as port, pytest.raises(errors.StreamTimeout, match="connection"):
        await collect(ask(f"http://127.0.0.1:{port}/v1", deadlines=deadlines))


async def test_a_server_that_was_gone_answers_again_at_its_old_port() -> None:
    async with fake_model_server(FakeModelServer()) as server:
        await server.stop()
        with pytest.raises(errors.ConnectFailed):
            await collect(ask(server, deadlines=SHORT))
        await server.start()
        assert said(await collect(ask(server))) == "Kaixo mundua"


async def test_a_server_that_stops_in_mid_answer_breaks_the_stream() -> None:
    server = FakeModelServer(gate=asyncio.Event())
    async with fake_model_server(server), aclosing(providers.stream(ask(server))) as events:
        assert await anext(events) == Delta("Kaixo")
        await server.stop()
        with pytest.raises(errors.MalformedStream):
            await anext(events)


async def test_one_sides_fault_leaves_the_other_unharmed() -> None:
    good, bad = FakeModelServer(gate=asyncio.Event()), FakeModelServer(fault=Fault.DIES)
    async with fake_model_server(good), fake_model_server(bad):
        side = asyncio.create_task(collect(ask(good)))
        await good.wait_until(live=1)
        with pytest.raises(errors.MalformedStream):
            await collect(ask(bad))
        assert good.gate is not None
        good.gate.set()
        assert said(await side) == "Kaixo mundua"


async def test_after_200_mixed_answers_no_task_and_no_socket_is_left() -> None:
    silences = [fault for fault, error in FAILURES if error is errors.StreamTimeout]
    others = [fault for fault, _ in FAILURES if fault not in {*silences, Fault.WHITE_SPACE}] + GOOD
    silent, loud = FakeModelServer(), FakeModelServer()
    async with fake_model_server(silent), fake_model_server(loud):
        before = held()
        for _ in range(7):
            silent.script, loud.script = list(silences), list(others)
            asked = [collect(ask(silent, deadlines=SHORT)) for _ in silences]
            asked += [collect(ask(loud)) for _ in others]
            for end in await asyncio.gather(*asked, return_exceptions=True):
                assert isinstance(end, list | errors.StreamError)
        await released(before)
    assert loud.requests == 7 * len(others)
    assert 7 * (len(silences) + len(others)) > 200


# deadlines


async def test_thinking_aloud_keeps_a_stream_alive_between_tokens() -> None:
    thoughts = tuple(f" {number}" for number in range(12))
    server = FakeModelServer(reasons=True, thoughts=thoughts, rate=20)
    limits = Deadlines(connect_s=2, first_token_s=0.4, between_tokens_s=0.4, total_s=60)
    async with fake_model_server(server):
        events = await collect(ask(server, deadlines=limits))
    assert (thought(events), said(events)) == ("".join(thoughts), "Kaixo mundua")


async def test_thinking_without_end_ends_at_the_total() -> None:
    server = FakeModelServer(reasons=True, thoughts=("hm",) * 2_000, rate=50)
    limits = Deadlines(connect_s=2, first_token_s=5, between_tokens_s=5, total_s=0.3)
    async with fake_model_server(server):
        with pytest.raises(errors.StreamTimeout):
            await collect(ask(server, deadlines=limits))


async def test_thinking_that_stops_is_a_hang_between_tokens() -> None:
    server = FakeModelServer(reasons=True, gate=asyncio.Event())
    limits = Deadlines(connect_s=2, first_token_s=3600, between_tokens_s=0.2, total_s=3600)
    async with fake_model_server(server):
        seen = []
        with pytest.raises(errors.StreamTimeout):
            async for event in providers.stream(ask(server, deadlines=limits)):
                seen.append(event)  # noqa: PERF401  what came before the error is wanted
    assert (thought(seen), said(seen)) == ("isilpekoaisilpekoa", "Kaixo")


# what servers tell of themselves is not repeated


@pytest.mark.parametrize("provider", BOTH)
@pytest.mark.parametrize(("fault", "error"), FAILURES)
async def test_the_key_the_address_and_the_text_are_in_no_error_and_no_log(
    fault: Fault, error: type[errors.StreamError], provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even where a server variables the key; nor, of our own frames, in the variables that error trackers collect."""
    caplog.set_level(logging.DEBUG)
    variables = fault not in {Fault.IN_BAND, Fault.REFUSES_IN_BAND}
    async with fake_model_server(FakeModelServer(fault=fault, repeats_key=True, remembers=False)) as server:
        request = ask(server, provider, deadlines=deadlines_for(error))
        with pytest.raises(error) as caught:
            await collect(request)
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=variables)
    logged = "\n".join(
        record.getMessage() + str(record.exc_info) + repr(record.args) for record in caplog.records
    )
    for where in ("".join(report.format()), repr(caught.value), str(caught.value), repr(request), logged):
        assert KEY not in where
    for told in (str(caught.value), logged):
        assert str(server.port) not in told
        assert "Euskaraz" not in told
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("key", ["gako\nbat", "gakoñ", "gako bat"])
async def test_a_key_that_no_header_can_bear_is_refused_without_being_quoted(key: str) -> None:
    with pytest.raises(errors.Unauthorized) as caught:
        await collect(ask("http://127.0.0.1:9/v1", api_key=key))
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=False)
    assert key not in "".join(report.format())


@pytest.mark.parametrize("provider", BOTH)
async def test_the_key_opens_the_server_that_asks_for_it(provider: Provider) -> None:
    async with fake_model_server(FakeModelServer(api_key=KEY)) as server:
        assert said(await collect(ask(server, provider))) == "Kaixo mundua"
        with pytest.raises(errors.Unauthorized):
            await collect(ask(server, provider, api_key="beste-bat"))
        with pytest.raises(errors.Unauthorized):
            await collect(ask(server, provider, api_key=""))


async def test_without_its_extra_the_adapter_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anthropic", None)
    monkeypatch.delitem(sys.modules, "inference.providers.anthropic", raising=False)
    monkeypatch.delattr(providers, "anthropic", raising=False)
    with pytest.raises(errors.ConnectFailed, match=r"lehia\[anthropic\]"):
        await collect(ask("http://127.0.0.1:9/v1", Provider.ANTHROPIC))


async def test_a_request_is_made_afresh_for_each_answer() -> None:
    async with fake_model_server(FakeModelServer(script=[Fault.UNAVAILABLE, Fault.NONE])) as server:
        with pytest.raises(errors.ServerFailed):
            await collect(ask(server))
        assert said(await collect(replace(ask(server), request_id="eskaera-2"))) == "Kaixo mundua"
    assert [each["x-request-id"] for each in server.headers] == ["eskaera-1", "eskaera-2"]
    assert len(server.peers) == 2
