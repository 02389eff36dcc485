"""The duel and what sockets see of it, without a database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena import transcript
from arena.duel import Duel, SideResult
from arena.live import LiveTurn
from arena.protocol import ServerFrame
from arena.types import AnswerStatus, BattleStatus, Side
from inference.errors import ServerFailed
from inference.types import Delta, Done, FinishReason

Events = AsyncGenerator[Delta | Done, None]
BATTLE = UUID(int=1)


def words(*texts: str, gate: asyncio.Event | None = None, fail: bool = False) -> Callable[[], Events]:
    async def stream() -> Events:
        for index, text in enumerate(texts):
            if index and gate is not None:
                await gate.wait()
            yield Delta(text)
        if fail:
            raise ServerFailed("scripted")
        yield Done(FinishReason.STOP, 3, len(texts))

    return stream


def nothing_yet() -> Events:
    async def stream() -> Events:
        await asyncio.Event().wait()
        yield Delta("never")

    return stream()


def new_turn() -> LiveTurn:
    return LiveTurn(battle_id=BATTLE, turn_index=1)


async def run(a: Callable[[], Events], b: Callable[[], Events]) -> tuple[LiveTurn, dict[Side, SideResult]]:
    live = new_turn()
    results = await Duel({Side.A: a, Side.B: b}, live).run()
    return live, {result.side: result for result in results}


async def seen(live: LiveTurn, offsets: dict[Side, int] | None = None) -> list[ServerFrame]:
    live.end(BattleStatus.READY)
    return [frame async for frame in live.follow(offsets or {})]


def html_of(frames: list[ServerFrame], side: Side) -> str:
    parts: list[str] = []
    last = ""
    for frame in frames:
        if frame["type"] == "render" and frame["side"] == side.value:
            sealed = frame["sealed"]
            assert isinstance(sealed, list)
            parts += sealed
            last = str(frame["open"])
    return "".join(parts) + last


async def test_both_sides_end_with_their_text_and_figures() -> None:
    live, results = await run(words("Kai", "xo"), words("Aupa"))
    assert results[Side.A].text == "Kaixo"
    assert results[Side.A].status is AnswerStatus.COMPLETE
    assert (results[Side.B].completion_tokens, results[Side.B].prompt_tokens) == (1, 3)
    assert results[Side.A].first_token_ms is not None
    frames = await seen(live)
    assert html_of(frames, Side.A) == "<p>Kaixo</p>\n"


async def test_a_failing_side_leaves_the_other_unharmed() -> None:
    live, results = await run(words("erdi", fail=True), words("osorik"))
    assert (results[Side.A].status, results[Side.A].code) == (AnswerStatus.FAILED, "server")
    assert results[Side.B].status is AnswerStatus.COMPLETE
    frames = await seen(live)
    assert {"type": "failed", "side": "A", "code": "server"} in frames
    assert {"type": "done", "side": "B", "reason": "stop"} in frames


async def test_a_stream_without_an_end_is_malformed() -> None:
    async def cut() -> Events:
        yield Delta("erdi")

    _, results = await run(cut, words("osorik"))
    assert results[Side.A].code == "malformed"


async def test_stop_completes_what_has_text_and_fails_what_has_none() -> None:
    live = new_turn()
    gate = asyncio.Event()
    duel = Duel({Side.A: words("hasi", "amaitu", gate=gate), Side.B: nothing_yet}, live)
    task = asyncio.create_task(duel.run())
    frames = live.follow({})
    async for frame in frames:
        if frame["type"] == "render":
            break
    duel.stop()
    duel.stop()
    results = {result.side: result for result in await task}
    await frames.aclose()
    assert (results[Side.A].status, results[Side.A].reason) == (AnswerStatus.COMPLETE, "stopped")
    assert (results[Side.B].status, results[Side.B].code) == (AnswerStatus.FAILED, "empty")


async def test_an_interruption_counts_as_no_answer() -> None:
    live = new_turn()
    duel = Duel({Side.A: nothing_yet, Side.B: nothing_yet}, live)
    task = asyncio.create_task(duel.run())
    await asyncio.sleep(0)
    duel.interrupt()
    assert {result.status for result in await task} == {AnswerStatus.INTERRUPTED}


async def test_a_duel_cut_before_it_began_still_ends() -> None:
    live = new_turn()
    duel = Duel({Side.A: nothing_yet, Side.B: nothing_yet}, live)
    duel.interrupt()
    assert {result.code for result in await duel.run()} == {"interrupted"}


async def test_a_kept_side_is_shown_whole() -> None:
    live = new_turn()
    live.place(Side.A, "Lehengoa", "stop")
    await Duel({Side.B: words("Berria")}, live).run()
    frames = await seen(live)
    assert html_of(frames, Side.A) == "<p>Lehengoa</p>\n"
    assert html_of(frames, Side.B) == "<p>Berria</p>\n"


@given(
    st.lists(st.sampled_from(["bat ", "\n\nx", "- bi\n", "**hiru**", "# lau\n", "```\n"]), max_size=20),
    st.lists(st.integers(0, 30), min_size=1, max_size=4),
)
def test_followers_that_come_and_go_lose_and_double_nothing(pieces: list[str], stops: list[int]) -> None:
    async def check() -> None:
        live = new_turn()
        held, html, seq = 0, "", 0
        for index, piece in enumerate([*pieces, " amaiera"]):
            live.feed(Side.A, piece)
            live.flush()
            if index in stops:
                async for frame in live.follow({Side.A: held}):
                    if frame["type"] == "render" and frame["side"] == "A":
                        sealed = frame["sealed"]
                        assert isinstance(sealed, list)
                        html += "".join(sealed)
                        seq = int(str(frame["seq"]))
                        assert seq - len(sealed) == held
                        held = seq
                        break
        live.complete(Side.A, "stop")
        live.complete(Side.B, "stop")
        rest = html_of(await seen(live, {Side.A: held}), Side.A)
        assert html + rest == transcript.render("".join(pieces) + " amaiera")

    asyncio.run(check())


async def test_a_late_follower_gets_everything_and_the_end() -> None:
    live, _ = await run(words("Kaixo"), words("Aupa"))
    frames = await seen(live)
    assert frames[0]["type"] == frames[-1]["type"] == "state"
    assert frames[-1]["status"] == "ready"
    assert live.followers == 0


@pytest.mark.parametrize("offset", [0, 1, 99])
async def test_offsets_past_the_end_are_taken_as_the_end(offset: int) -> None:
    live, _ = await run(words("Bat\n\nBi\n"), words("x"))
    sealed = [
        f["sealed"] for f in await seen(live, {Side.A: offset}) if f["type"] == "render" and f["side"] == "A"
    ]
    expected = ["<p>Bat</p>\n", "<p>Bi</p>\n"][offset:]
    assert sealed == ([expected] if expected or sealed else [])
