"""What sockets see of a turn while it is written, without a database."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena import beats, transcript
from arena.beats import Beat, Change
from arena.live import LiveTurn
from arena.protocol import Held, SideState
from arena.types import AnswerStatus, BattleStatus, Side
from tests.arena.turns import BATTLE, PageSide, Table, followed, html_of, new_turn, of_kind, until, words

DONE = SideState(AnswerStatus.COMPLETE, "stop", attempt=1)
PIECES = st.lists(st.sampled_from(["bat ", "\n\nx", "- bi\n", "**hiru**", "# lau\n", "```\n"]), max_size=20)


def said(text: str, *, at: int = 0, attempt: int = 1, end: SideState | None = None) -> Beat:
    return Beat(a=Change(attempt, at, text, end))


def ended(status: BattleStatus = BattleStatus.READY) -> Beat:
    return Beat(status=status)


async def test_a_kept_side_is_shown_whole() -> None:
    table = Table(words("x"), words("Berria"))
    table.screen.open({Side.B}, {Side.A: ("Lehengoa", DONE)})
    frames = await table.seen()
    assert html_of(frames, Side.A) == "<p>Lehengoa</p>\n"
    assert {"type": "done", "side": "A", "reason": "stop"} in frames


@given(PIECES, st.lists(st.integers(0, 30), min_size=1, max_size=4))
def test_followers_that_come_and_go_lose_and_double_nothing(pieces: list[str], stops: list[int]) -> None:
    async def check() -> None:
        live, page, at = new_turn(), PageSide(Side.A), 0
        for index, piece in enumerate([*pieces, " amaiera"]):
            live.take(said(piece, at=at))
            live.flush()
            at += len(piece)
            if index in stops:
                async with aclosing(live.follow({Side.A: Held(len(page.sealed), 1)})) as frames:
                    page.after(await until(frames, of_kind("render", Side.A)))
        live.take(said("", at=at, end=DONE))
        live.take(ended())
        live.flush()
        rest = await followed(live, {Side.A: len(page.sealed)})
        assert page.after(rest) == transcript.render("".join(pieces) + " amaiera")

    asyncio.run(check())


@given(PIECES, st.data())
def test_beats_that_come_twice_or_all_at_once_lose_and_double_nothing(
    pieces: list[str], data: st.DataObject
) -> None:
    """As Valkey may hand them to another process: again after it stalled, or a whole in place of what was missed."""

    async def check() -> None:
        live, text = new_turn(), ""
        for piece in [*pieces, "amaiera"]:
            beat = said(piece, at=len(text))
            text += piece
            for chosen in data.draw(st.lists(st.sampled_from(["beat", "whole", "lost"]), max_size=3)):
                if chosen != "lost":
                    live.take(beats.decode(beats.encode(beat if chosen == "beat" else said(text))))
            live.flush()
        live.take(said(text, end=DONE))
        live.take(ended())
        live.flush()
        assert html_of(await followed(live), Side.A) == transcript.render(text)

    asyncio.run(check())


async def test_a_late_follower_gets_everything_and_the_end() -> None:
    table = Table(words("Kaixo"), words("Aupa"))
    await table.run()
    frames = await table.seen()
    assert frames[0]["type"] == frames[-1]["type"] == "state"
    assert frames[-1]["status"] == "ready"
    assert table.live.followers == 0


@pytest.mark.parametrize("offset", [0, 1, 99])
async def test_a_page_that_holds_more_than_there_is_gets_nothing_twice(offset: int) -> None:
    table = Table(words("Bat\n\nBi\n"), words("x"))
    await table.run()
    frames = await table.seen({Side.A: offset})
    sealed = [frame["sealed"] for frame in frames if of_kind("render", Side.A)(frame)]
    expected = ["<p>Bat</p>\n", "<p>Bi</p>\n"][offset:]
    assert sealed == ([expected] if expected else [])
    assert any(of_kind("done", Side.A)(frame) for frame in frames)


async def test_a_page_of_another_attempt_is_given_the_side_from_its_beginning() -> None:
    live = new_turn()
    live.take(said("Bat\n\nBi\n", attempt=2))
    async with aclosing(live.follow({Side.A: Held(5, 1)})) as stale:
        (state, render) = await until(stale, of_kind("render"))
    assert state["sides"]["A"]["attempt"] == 2  # type: ignore[index]  # a state's sides
    assert (render["seq"], render["sealed"]) == (1, ["<p>Bat</p>\n"])
    async with aclosing(live.follow({Side.A: Held(1, 2)})) as same:
        assert (await until(same, of_kind("render")))[-1]["sealed"] == []


async def test_news_of_an_attempt_that_is_over_change_nothing() -> None:
    live = LiveTurn(battle_id=BATTLE, turn_index=1, attempts={Side.A: 2, Side.B: 1})
    live.take(said("zaharra", end=DONE))
    live.take(Beat(Change(1, 7), Change(1, 0, "bestea"), status=BattleStatus.ANSWERING))
    assert not live.ended
    live.take(said("berria", attempt=2, end=SideState(AnswerStatus.COMPLETE, "stop", attempt=2)))
    live.take(ended())
    live.flush()
    frames = await followed(live)
    assert (html_of(frames, Side.A), html_of(frames, Side.B)) == ("<p>berria</p>\n", "<p>bestea</p>\n")


async def test_followers_of_a_mirror_wait_for_its_first_beat_and_leave_a_lost_one_without_an_end() -> None:
    live = new_turn()
    follower = asyncio.create_task(followed(live))
    await asyncio.sleep(0)
    live.take(said("Kaixo"))
    live.flush()
    live.lose()
    frames = await follower
    assert html_of(frames, Side.A) == "<p>Kaixo</p>\n"
    assert [frame["type"] for frame in frames] == ["state", "render"]


async def test_what_nobody_follows_is_rendered_when_somebody_comes() -> None:
    live = new_turn()
    live.take(said("Bat\n\n"))
    live.flush()
    live.take(said("Bi\n", at=5))
    live.flush()
    async with aclosing(live.follow({})) as frames:
        (_, render) = await until(frames, of_kind("render"))
    assert (render["sealed"], render["open"]) == (["<p>Bat</p>\n"], "<p>Bi</p>\n")


async def test_a_long_block_is_rendered_seldom_and_never_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    render = transcript.MarkdownStream.open_block

    def noted(stream: transcript.MarkdownStream) -> str:
        looks.append(stream.open_chars)
        return render(stream)

    monkeypatch.setattr(transcript.MarkdownStream, "open_block", noted)
    live, page, at = new_turn(), PageSide(Side.A), 0
    follower = asyncio.create_task(followed(live))
    for _ in range(200):
        live.take(said("hitza ez " * 5, at=at))
        live.flush()
        await asyncio.sleep(0)
        at += 45
    assert 20 < len(looks) < 110
    while live.is_behind:
        live.flush()
    assert looks[-1] == at
    live.take(said("", at=at, end=DONE))
    live.take(ended())
    live.flush()
    assert page.after(await follower) == transcript.render("hitza ez " * 1000)


async def test_what_could_not_be_stored_is_told_even_of_a_side_that_was_done() -> None:
    table = Table(words("Kaixo"), words("Aupa"))
    await table.run()
    ends = {side: SideState(AnswerStatus.INTERRUPTED, code="interrupted") for side in Side}
    table.screen.close(BattleStatus.ANSWERING, ends)
    frames = await followed(table.live)
    assert {frame["side"] for frame in frames if frame["type"] == "failed"} == {"A", "B"}
    assert frames[-1]["status"] == "answering"
