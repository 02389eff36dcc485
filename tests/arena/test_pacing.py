"""What is shown of two answers at each tick."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.pacing import DRAIN_S, PIECE, STALL_S, Paced, Pacing, Unpaced, Whole
from arena.types import Side

PATIENCE_S = 20.0
TICKS = st.sampled_from([0.03, 0.03, 0.05, 0.1])


@dataclass
class Script:
    """What a server sends: pieces of text with the pause before each."""

    pieces: list[tuple[float, str]]

    @property
    def text(self) -> str:
        return "".join(text for _, text in self.pieces)

    def times(self) -> list[tuple[float, str]]:
        at, found = 0.0, []
        for pause_s, text in self.pieces:
            at += pause_s
            found.append((at, text))
        return found


@dataclass
class Shown:
    ticks: list[tuple[float, dict[Side, str]]] = field(default_factory=list)
    over: dict[Side, float] = field(default_factory=dict)

    def text(self, side: Side) -> str:
        return "".join(freed.get(side, "") for _, freed in self.ticks)

    def first(self, side: Side) -> float | None:
        return next((at for at, freed in self.ticks if side in freed), None)

    def last(self, side: Side) -> float:
        return max((at for at, freed in self.ticks if side in freed), default=0.0)


def play(pacing: Pacing, scripts: dict[Side, Script], ticks_s: list[float], *, most_s: float = 400) -> Shown:
    """The servers' texts through the pacing on a virtual clock, until both are over."""
    coming = {side: script.times() for side, script in scripts.items()}
    ends = {side: times[-1][0] if times else 0.0 for side, times in coming.items()}
    shown, now, turn = Shown(), 0.0, 0
    while len(shown.over) < len(scripts):
        for side, times in coming.items():
            while times and times[0][0] <= now:
                pacing.feed(side, times.pop(0)[1])
            if not times and ends[side] <= now:
                pacing.end(side)
        shown.ticks.append((now, pacing.release(now)))
        for side in scripts:
            if pacing.is_over(side):
                shown.over.setdefault(side, now)
        now += ticks_s[turn % len(ticks_s)]
        turn += 1
        assert now < most_s, "not over"
    return shown


PIECES = st.lists(
    st.tuples(st.floats(0, 1), st.text(alphabet="aé\n日 ", min_size=1, max_size=60)), max_size=8
).map(Script)


@given(PIECES, PIECES, st.lists(TICKS, min_size=1, max_size=4))
def test_no_character_is_lost_or_doubled_or_late(a: Script, b: Script, ticks: list[float]) -> None:
    shown = play(Paced(Side, patience_s=PATIENCE_S), {Side.A: a, Side.B: b}, ticks)
    assert shown.text(Side.A) == a.text
    assert shown.text(Side.B) == b.text
    upstream_s = max((script.times()[-1][0] for script in (a, b) if script.pieces), default=0.0)
    assert max(shown.over.values()) <= upstream_s + DRAIN_S + 3 * max(ticks)


SOME = PIECES.filter(lambda script: bool(script.pieces))


@given(SOME, SOME, st.lists(TICKS, min_size=1, max_size=4))
def test_a_tick_shows_equally_much_of_both_while_both_have_any(
    a: Script, b: Script, ticks: list[float]
) -> None:
    shown = play(Paced(Side, patience_s=1e9), {Side.A: a, Side.B: b}, ticks)
    end = min(shown.last(Side.A), shown.last(Side.B))
    sizes = [
        (len(freed.get(Side.A, "")), len(freed.get(Side.B, ""))) for at, freed in shown.ticks if at <= end
    ]
    assert all(of_a == of_b for of_a, of_b in sizes)
    assert shown.first(Side.A) == shown.first(Side.B) is not None


@given(SOME, st.integers(1, 60))
def test_how_a_server_cuts_its_text_is_not_seen(script: Script, size: int) -> None:
    whole = Script([(0.0, script.text)])
    cut = Script([(0.0, script.text[at : at + size]) for at in range(0, len(script.text), size)])
    shown = play(Paced(Side, patience_s=PATIENCE_S), {Side.A: whole, Side.B: cut}, [0.03])
    assert all(len(freed) in {0, 2} for _, freed in shown.ticks)


def steady(rate: float, tokens: int, *, each: str = "hitz", first_s: float = 0.1, at_once: int = 1) -> Script:
    pause_s = at_once / rate
    return Script([(first_s if i == 0 else pause_s, each * at_once) for i in range(tokens // at_once)])


def test_the_faster_side_goes_at_the_slower_ones_rate() -> None:
    slow, fast = steady(10, 100), steady(120, 800, at_once=8)
    shown = play(Paced(Side, patience_s=PATIENCE_S), {Side.A: slow, Side.B: fast}, [0.03])
    at = [(when, len(freed.get(Side.B, ""))) for when, freed in shown.ticks]
    for second in range(2, 9):
        rate = sum(size for when, size in at if second - 1 <= when < second)
        assert 24 <= rate <= 56  # 40 characters a second come of the slow one


def test_pieces_are_worth_their_tick() -> None:
    slow, fast = steady(10, 100), steady(120, 100)
    shown = play(Paced(Side, patience_s=PATIENCE_S), {Side.A: slow, Side.B: fast}, [0.03])
    sizes = [len(freed[Side.A]) for _, freed in shown.ticks if Side.A in freed]
    assert sum(size >= PIECE for size in sizes) > 0.8 * len(sizes)


@given(SOME, SOME, st.lists(TICKS, min_size=1, max_size=4))
def test_no_piece_ends_where_a_writers_tokens_do_unless_it_stalls(
    a: Script, b: Script, ticks: list[float]
) -> None:
    shown = play(Paced(Side, patience_s=1e9), {Side.A: a, Side.B: b}, ticks)
    written_until = min(a.times()[-1][0], b.times()[-1][0])
    last = 0.0
    for at, freed in shown.ticks:
        if freed and at < written_until:
            size = len(freed[Side.A])
            assert size % PIECE == 0 or (size < PIECE and at - last >= STALL_S)
        last = at if freed else last


def test_a_few_characters_wait_for_more_but_not_long() -> None:
    pacing = Paced(Side, patience_s=PATIENCE_S)
    for side in Side:
        pacing.feed(side, "Kaixo")
    freed = [(tick * 0.03, pacing.release(tick * 0.03)) for tick in range(40)]
    (when, both) = next((at, each) for at, each in freed if each)
    assert both == dict.fromkeys(Side, "Kaixo")
    assert STALL_S <= when <= STALL_S + 0.06


def test_the_first_piece_waits_for_both_sides_but_not_for_a_dead_one() -> None:
    quick, late = steady(50, 20, first_s=0.1), steady(50, 20, first_s=4.0)
    shown = play(Paced(Side, patience_s=PATIENCE_S), {Side.A: quick, Side.B: late}, [0.03])
    assert 4.0 <= (shown.first(Side.A) or 0) <= 4.1
    dead = Script([(60.0, "x")])
    shown = play(Paced(Side, patience_s=PATIENCE_S), {Side.A: quick, Side.B: dead}, [0.03])
    assert PATIENCE_S <= (shown.first(Side.A) or 0) <= PATIENCE_S + 0.1
    assert shown.over[Side.A] < PATIENCE_S + DRAIN_S


def test_a_side_that_fails_before_its_first_word_holds_nobody() -> None:
    shown = play(
        Paced(Side, patience_s=PATIENCE_S), {Side.A: steady(50, 20, first_s=0.3), Side.B: Script([])}, [0.03]
    )
    assert (shown.first(Side.A) or 0) < 0.4


def test_once_one_side_is_over_the_other_never_slows_down_and_is_over_soon() -> None:
    short, long = steady(20, 40), steady(100, 1000)
    shown = play(Paced(Side, patience_s=PATIENCE_S), {Side.A: short, Side.B: long}, [0.03])
    alone = [len(freed.get(Side.B, "")) for at, freed in shown.ticks if shown.over[Side.A] < at]
    seconds = [sum(alone[at : at + 33]) for at in range(0, len(alone) - 33, 33)]
    assert all(size >= 60 for size in seconds)
    assert shown.over[Side.B] <= long.times()[-1][0] + DRAIN_S + 0.03


def test_a_side_that_begins_anew_forgets_what_it_had_and_holds_nobody() -> None:
    pacing = Paced(Side, patience_s=PATIENCE_S)
    for side in Side:
        pacing.feed(side, "lehenengoa " * 20)
    assert set(pacing.release(0.0)) == set(Side)
    pacing.reset(Side.B)
    freed = [pacing.release(0.03 * tick) for tick in range(1, 200)]
    assert all(Side.B not in each for each in freed)
    assert any(Side.A in each for each in freed)
    pacing.end(Side.A)
    pacing.feed(Side.B, "bigarrena")
    pacing.end(Side.B)
    assert "".join(pacing.release(6 + tick).get(Side.B, "") for tick in range(9)) == "bigarrena"


@pytest.mark.parametrize("make", [lambda: Paced(Side, patience_s=PATIENCE_S), lambda: Unpaced(Side)])
def test_what_is_dropped_is_never_shown_and_what_is_hurried_is_shown_at_once(
    make: Callable[[], Pacing],
) -> None:
    pacing = make()
    pacing.feed(Side.A, "bat " * 50)
    pacing.feed(Side.B, "bi " * 50)
    assert pacing.drop(Side.A)
    assert not pacing.drop(Side.A)
    pacing.hurry(Side.B)
    freed = pacing.release(0.0)
    assert freed == {Side.B: "bi " * 50}
    assert not pacing.is_over(Side.B)
    pacing.end(Side.B)
    assert pacing.is_over(Side.B)


@given(PIECES, PIECES)
def test_unpaced_each_side_comes_as_it_comes(a: Script, b: Script) -> None:
    shown = play(Unpaced(Side), {Side.A: a, Side.B: b}, [0.03])
    for side, script in ((Side.A, a), (Side.B, b)):
        assert shown.text(side) == script.text
        assert shown.over[side] <= (script.times()[-1][0] if script.pieces else 0) + 0.04


@given(PIECES, PIECES)
def test_whole_answers_come_together_and_in_one_piece(a: Script, b: Script) -> None:
    scripts = {Side.A: a, Side.B: b}
    shown = play(Whole(Side), scripts, [0.03])
    assert [shown.text(side) for side in Side] == [a.text, b.text]
    assert len([freed for _, freed in shown.ticks if freed]) <= 1


def test_a_stop_ends_the_wait_for_the_whole() -> None:
    pacing = Whole(Side)
    pacing.feed(Side.A, "bat")
    assert pacing.release(0.0) == {}
    pacing.hurry(Side.A)
    assert pacing.release(0.1) == {Side.A: "bat"}
