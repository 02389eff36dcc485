"""Two sides read at once, without a database."""

from __future__ import annotations

import asyncio

import pytest

from arena.duel import Source
from arena.pacing import Paced, Whole
from arena.protocol import ServerFrame
from arena.types import AnswerStatus, Side
from inference.errors import StreamErrorCode
from inference.types import Delta, Done, FinishReason, Queued, Reasoning
from tests.arena.turns import Events, Table, events, followed, html_of, nothing_yet, of_kind, until, words


async def test_both_sides_end_with_their_text_and_figures() -> None:
    table = Table(words("Kai", "xo"), words("Aupa"))
    results = await table.run()
    assert results[Side.A].text == "Kaixo"
    assert results[Side.A].status is AnswerStatus.COMPLETE
    assert (results[Side.B].completion_tokens, results[Side.B].prompt_tokens) == (1, 3)
    assert results[Side.A].first_token_ms is not None
    assert results[Side.A].queued_ms is None
    assert html_of(await table.seen(), Side.A) == "<p>Kaixo</p>\n"


async def test_a_failing_side_leaves_the_other_unharmed() -> None:
    table = Table(words("erdi", fail=True), words("osorik"))
    results = await table.run()
    assert (results[Side.A].status, results[Side.A].code) == (AnswerStatus.FAILED, "server")
    assert results[Side.B].status is AnswerStatus.COMPLETE
    frames = await table.seen()
    assert {"type": "failed", "side": "A", "code": "server"} in frames
    assert {"type": "done", "side": "B", "reason": "stop"} in frames


async def test_a_stream_without_an_end_is_malformed() -> None:
    async def cut() -> Events:
        yield Delta("erdi")

    results = await Table(cut, words("osorik")).run()
    assert results[Side.A].code == "malformed"


async def test_stop_completes_what_has_text_and_fails_what_has_none() -> None:
    gate = asyncio.Event()
    table = Table(words("hasi", "amaitu", gate=gate), nothing_yet)
    task = table.start()
    frames = table.live.follow({})
    await until(frames, of_kind("render"))
    table.duel.stop()
    table.duel.stop()
    results = await task
    await frames.aclose()
    assert (results[Side.A].status, results[Side.A].reason) == (AnswerStatus.COMPLETE, "stopped")
    assert results[Side.A].text == "hasi"
    assert (results[Side.B].status, results[Side.B].code) == (AnswerStatus.FAILED, "empty")


async def test_a_stop_keeps_of_paced_sides_what_was_shown() -> None:
    gate = asyncio.Event()
    slow, fast = words("motela " * 3, "gero", gate=gate), words(*["bizkorra "] * 50)
    table = Table(slow, fast, pacing=Paced(Side, patience_s=60))
    task = table.start()
    frames = table.live.follow({})
    await until(frames, of_kind("render", Side.B))
    table.duel.stop()
    results = await task
    await frames.aclose()
    assert {result.reason for result in results.values()} == {"stopped"}
    assert {result.status for result in results.values()} == {AnswerStatus.COMPLETE}
    assert len(results[Side.A].text) == len(results[Side.B].text) > 0
    assert results[Side.B].completion_tokens is None
    assert html_of(await table.seen(), Side.B) == f"<p>{results[Side.B].text.strip()}</p>\n"


async def test_a_stop_before_anything_was_shown_keeps_what_there_is() -> None:
    read = asyncio.Event()

    async def quick() -> Events:
        yield Delta("azkarra")
        read.set()
        await asyncio.Event().wait()

    table = Table(quick, nothing_yet, pacing=Paced(Side, patience_s=60))
    task = table.start()
    await read.wait()
    table.duel.stop()
    results = await task
    assert (results[Side.A].text, results[Side.A].reason) == ("azkarra", "stopped")
    assert results[Side.B].code == "empty"


async def test_an_interruption_counts_as_no_answer() -> None:
    table = Table(nothing_yet, nothing_yet)
    task = table.start()
    await asyncio.sleep(0)
    table.duel.interrupt()
    assert {result.status for result in (await task).values()} == {AnswerStatus.INTERRUPTED}


async def test_an_interruption_leaves_a_side_that_had_ended_whole() -> None:
    gate = asyncio.Event()
    read = asyncio.Event()

    async def quick() -> Events:
        yield Delta("dena " * 100)
        read.set()
        yield Done(FinishReason.STOP, 1, 100)

    table = Table(quick, words("motela " * 3, "gero", gate=gate), pacing=Paced(Side, patience_s=60))
    task = table.start()
    await read.wait()
    await until(table.live.follow({}), of_kind("render", Side.A))
    table.duel.interrupt()
    results = await task
    assert (results[Side.A].status, results[Side.A].text) == (AnswerStatus.COMPLETE, "dena " * 100)
    assert results[Side.B].status is AnswerStatus.INTERRUPTED


async def test_a_duel_cut_before_it_began_still_ends() -> None:
    table = Table(nothing_yet, nothing_yet)
    table.duel.interrupt()
    assert {result.code for result in (await table.run()).values()} == {"interrupted"}


async def test_what_a_side_thinks_is_kept_and_shown_nowhere() -> None:
    thinks = events(Reasoning("isil"), Reasoning("pean"))
    table = Table(thinks, words("Aupa"))
    results = await table.run()
    assert results[Side.A].reasoning == "isilpean"
    assert results[Side.A].text == "amaiera"
    assert results[Side.B].reasoning == ""
    assert "isil" not in str(await table.seen())


async def test_a_thinking_side_looks_like_a_waiting_one() -> None:
    gate = asyncio.Event()
    table = Table(events(Reasoning("hm"), then=gate), nothing_yet)
    task = table.start()
    await asyncio.sleep(0.1)
    sides = table.live.state_frame()["sides"]
    assert isinstance(sides, dict)
    assert sides["A"] == sides["B"]
    table.duel.interrupt()
    await task


@pytest.mark.parametrize("mirrored", [False, True])
async def test_the_longer_wait_in_a_queue_is_the_battles_and_tells_no_side(mirrored: bool) -> None:
    gates = {position: asyncio.Event() for position in (3, 5)}

    def queued(position: int) -> Source:
        return events(Queued(position + 1), Queued(position), then=gates[position])

    a, b = (5, 3) if mirrored else (3, 5)
    table = Table(queued(a), queued(b))
    task = table.start()
    frames = table.live.follow({})
    found = await until(frames, of_kind("queue"))
    assert found[-1] == {"type": "queue", "position": 5}
    gates[5].set()
    assert (await until(frames, of_kind("queue")))[-1]["position"] == 3
    gates[3].set()
    assert (await until(frames, of_kind("queue")))[-1]["position"] == 0
    results = await task
    assert results[Side.A].queued_ms is not None
    late = await table.seen()
    assert not any(of_kind("queue")(frame) for frame in late)
    await frames.aclose()


async def test_a_side_that_dies_goes_on_as_another_with_an_empty_pane() -> None:
    gate, again, asked = asyncio.Event(), asyncio.Event(), []

    async def dies() -> Events:
        yield Reasoning("hildakoarena")
        yield Delta("Lehena.\n\nHila")
        await gate.wait()
        async for event in words(fail=True)():
            yield event

    async def revive(side: Side, code: StreamErrorCode) -> Source | None:
        asked.append((side, code))
        return events(then=again)

    table = Table(dies, words("Osorik"), revive=revive)
    task = table.start()
    follower = asyncio.create_task(followed(table.live))
    await until(table.live.follow({}), of_kind("render", Side.A))
    gate.set()
    frames = table.live.follow({})
    await until(frames, lambda frame: of_kind("state")(frame) and attempt_of_a(frame) == 2)
    await frames.aclose()
    again.set()
    results = await task
    await table.seen()
    frames_seen = await follower
    assert asked == [(Side.A, StreamErrorCode.SERVER)]
    assert (results[Side.A].text, results[Side.A].status) == ("amaiera", AnswerStatus.COMPLETE)
    assert (results[Side.A].reasoning, results[Side.A].code) == ("", "")
    assert html_of(frames_seen, Side.A) == "<p>amaiera</p>\n"
    assert html_of(frames_seen, Side.B) == "<p>Osorik</p>\n"
    anew = [frame for frame in frames_seen if frame["type"] == "state"]
    assert [attempt_of_a(frame) for frame in anew] == [1, 2, 2]
    assert anew[1]["sides"]["A"]["status"] == "pending"  # type: ignore[index]  # a state's sides
    assert not any(frame["type"] == "failed" for frame in frames_seen)


def attempt_of_a(frame: ServerFrame) -> int:
    sides = frame["sides"]
    assert isinstance(sides, dict)
    return int(sides["A"]["attempt"])


async def test_a_side_is_revived_twice_at_most() -> None:
    asked: list[Side] = []

    async def revive(side: Side, code: StreamErrorCode) -> Source | None:
        asked.append(side)
        return words("erdi", fail=True)

    results = await Table(words(fail=True), words("Osorik"), revive=revive).run()
    assert asked == [Side.A, Side.A]
    assert (results[Side.A].status, results[Side.A].code) == (AnswerStatus.FAILED, "server")


async def test_a_stop_while_somebody_is_looked_for_leaves_the_dead_side_failed() -> None:
    looked = asyncio.Event()

    async def revive(side: Side, code: StreamErrorCode) -> Source | None:
        looked.set()
        await asyncio.Event().wait()
        return None

    table = Table(words("erdi", fail=True), words("Osorik"), revive=revive)
    task = table.start()
    await looked.wait()
    table.duel.stop()
    results = await task
    assert (results[Side.A].status, results[Side.A].code) == (AnswerStatus.FAILED, "server")
    assert results[Side.B].status is AnswerStatus.COMPLETE


async def test_paced_sides_begin_together_and_are_told_done_after_their_text() -> None:
    gate = asyncio.Event()
    late = events(Reasoning("hm"), then=gate)
    table = Table(words(*["hitza "] * 30), late, pacing=Paced(Side, patience_s=60))
    follower = asyncio.create_task(followed(table.live))
    task = table.start()
    await asyncio.sleep(0.1)
    assert table.screen.text(Side.A) == ""
    gate.set()
    results = await task
    await table.seen()
    frames = await follower
    kinds = [(frame["type"], frame.get("side")) for frame in frames if frame["type"] in {"render", "done"}]
    assert kinds[:2] == [("render", "A"), ("render", "B")]
    assert kinds[-1] == ("done", "A")
    assert results[Side.A].text == "hitza " * 30


async def test_whole_answers_are_shown_at_once_and_a_stop_shows_what_there_is() -> None:
    reached = asyncio.Event()

    async def slow() -> Events:
        yield Delta("bi")
        reached.set()
        await asyncio.Event().wait()

    table = Table(words("bat"), slow, pacing=Whole(Side))
    task = table.start()
    await reached.wait()
    table.screen.tick(0.0)
    assert table.screen.text(Side.A) == ""
    table.duel.stop()
    results = await task
    assert (results[Side.A].text, results[Side.A].reason) == ("bat", "stop")
    assert (results[Side.B].text, results[Side.B].reason) == ("bi", "stopped")
