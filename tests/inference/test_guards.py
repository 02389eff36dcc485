"""Where an answer is cut: loops, floods and length; and what must never be cut."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inference.errors import EmptyAnswer, ServerFailed
from inference.guards import Guard, Limits, guarded
from inference.types import Delta, Done, FinishReason, Queued, Reasoning, Sampling, StreamEvent

SMALL = Limits(max_chars=5_000, loop_chars=200, loop_repeats=4, loop_period=100, blank_chars=150)

POEM = """Txoria txori

Baratzean lore bat ireki da goizean,
lore bat gorri, lore bat zuri,
eta haizeak esan dio belarrira:
ez joan, ez joan, ez joan oraindik.

Lai lai lai, lai lai lai,
lai lai lai, lai lai lai,
ez joan, ez joan, ez joan oraindik.

Ilargia iritsi da mendiaren atzetik,
lore bat gorri, lore bat zuri,
eta gauak esan dio belarrira:
ez joan, ez joan, ez joan oraindik.

Lai lai lai, lai lai lai,
lai lai lai, lai lai lai,
ez joan, ez joan, ez joan oraindik.
"""
LIST = "\n".join(f"{n}. Sagarra hartu, garbitu eta moztu; gero ontzira bota." for n in range(1, 80))
SHOPPING = "\n".join(["- [ ] ogia", "- [ ] esnea", "- [ ] arrautzak"] * 12)
ZEROS = "\n".join("| " + " | ".join(["0"] * 8) + " |" for _ in range(30))
NUMBERS = "\n".join(f"| {a} | {b} | {a * b} |" for a in range(1, 13) for b in range(1, 13))
RULER = "Emaitzak\n" + "-" * 120 + "\n" + "=" * 400 + "\nAmaiera"
CODE = "matrix = [\n" + "    [0, 0, 0, 0, 0, 0, 0, 0],\n" * 16 + "]\n" + "}\n" * 40
HTML = "\n".join(f"<li class='x'><a href='/{n}'>Orria {n}</a></li>" for n in range(100))
HUNDRED_TIMES = "Ez dut berriz berandu iritsiko. " * 30
INDENTED = "\n".join(" " * 200 + f"zutabea {n}" for n in range(40))
JSON = json.dumps([{"izena": f"herria {n}", "biztanleak": n * 37} for n in range(300)], indent=2)
PRIMES = ", ".join(str(n) for n in range(2, 3_000) if all(n % d for d in range(2, int(n**0.5) + 1)))
GOLDEN = [
    POEM,
    3 * POEM,
    LIST,
    SHOPPING,
    ZEROS,
    NUMBERS,
    RULER,
    CODE,
    HTML,
    HUNDRED_TIMES,
    INDENTED,
    JSON,
    PRIMES,
]


def cut(text: str, limits: Limits | None = None, places: Sequence[int] = ()) -> tuple[str, Guard]:
    guard = Guard(limits)
    ends = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return "".join(guard.take(text[a:b]) for a, b in pairwise(ends)), guard


@pytest.mark.parametrize("text", GOLDEN)
def test_honest_texts_pass_whole(text: str) -> None:
    kept, guard = cut(text)
    assert (kept, guard.verdict, guard.wrote) == (text, None, True)


def test_the_projects_own_pages_pass_whole(repository: Path) -> None:
    """Prose, tables, code and catalogues that people wrote."""
    pages = [*repository.glob("docs/*.md"), *repository.glob("inference/**/*.py"), *repository.glob("*.md")]
    pages += repository.glob("arena/locale/*/LC_MESSAGES/django.po")
    assert len(pages) > 30
    cuts = {page.name: guard.verdict for page in pages if (guard := cut(page.read_text())[1]).verdict}
    assert cuts == {}


WORDS = st.text(alphabet="abekinorstuz ,.\n", min_size=1, max_size=40)


@given(WORDS, st.text(max_size=300), st.lists(st.integers(0, 10_000), max_size=12))
@example("a", "", [])
@example("aaaab", "", [3])
def test_a_block_that_never_stops_coming_is_a_loop(block: str, before: str, places: list[int]) -> None:
    text = before + block * (3 * SMALL.loop_chars // len(block) + 1)
    kept, guard = cut(text, SMALL, places)
    assert guard.verdict is FinishReason.LOOP
    assert len(kept) <= len(before) + max(SMALL.loop_chars, 4 * len(block)) + 256
    assert text.startswith(kept)


@given(st.text(alphabet="ab ", max_size=1_500), st.lists(st.integers(0, 10_000), max_size=12))
@settings(max_examples=200)
def test_any_cutting_into_pieces_gives_the_same_answer(text: str, places: list[int]) -> None:
    whole, guard = cut(text, SMALL)
    kept, other = cut(text, SMALL, places)
    assert (kept, other.verdict, other.wrote) == (whole, guard.verdict, guard.wrote)


@given(st.lists(st.integers(0, 9_999), unique=True, min_size=1, max_size=200))
def test_what_never_repeats_is_never_a_loop(numbers: list[int]) -> None:
    text = "".join(f" {number:04}" for number in numbers)
    assert cut(text, SMALL)[1].verdict is None


def test_a_loop_of_paragraphs_is_found_after_five() -> None:
    paragraph = " ".join(f"hitza{n}" for n in range(90)) + "\n\n"
    assert 600 < len(paragraph) < 1_000
    assert cut(paragraph * 4)[1].verdict is None
    assert cut(paragraph * 7)[1].verdict is FinishReason.LOOP


def test_a_loop_that_begins_late_is_found() -> None:
    kept, guard = cut(LIST + " eta berriz" * 1_000)
    assert guard.verdict is FinishReason.LOOP
    assert len(kept) < len(LIST) + 1_500


def test_a_flood_of_white_space_is_cut() -> None:
    kept, guard = cut("Kaixo" + "\n \t" * 5_000)
    assert (guard.verdict, guard.wrote) == (FinishReason.LOOP, True)
    assert len(kept) < 1_300


def test_a_flood_of_white_space_need_not_be_regular() -> None:
    ragged = "".join(" " * n + "\n" for n in range(90))
    assert cut(ragged)[1].verdict is FinishReason.LOOP
    assert cut("a".join([ragged[:900]] * 3))[1].verdict is None


def test_a_block_that_repeats_within_itself_is_found_all_the_same() -> None:
    """Looks fall on the same place of each block, where the nearest earlier likeness is inside the block."""
    block = "c" * 48 + "ab" * 40
    assert len(block) == 128
    assert cut(block * 12)[1].verdict is FinishReason.LOOP


def test_nothing_but_white_space_is_not_writing() -> None:
    guard = cut(" \n" * 40)[1]
    assert (guard.verdict, guard.wrote) == (None, False)


@given(st.lists(st.integers(0, 10_000), max_size=12))
def test_the_length_is_exact(places: list[int]) -> None:
    kept, guard = cut(NUMBERS, Limits(max_chars=700), places)
    assert (kept, guard.verdict) == (NUMBERS[:700], FinishReason.LENGTH)
    assert guard.take("gehiago") == ""


def test_the_length_follows_the_sampling() -> None:
    assert Limits.of(Sampling(1.0, 1.0, max_tokens=100, seed=1)).max_chars == 1_856


async def stream(events: Sequence[StreamEvent], closed: list[bool]) -> AsyncGenerator[StreamEvent, None]:
    try:
        for event in events:
            yield event
    finally:
        closed.append(True)


async def collect(events: Sequence[StreamEvent], limits: Limits = SMALL) -> tuple[list[StreamEvent], bool]:
    closed: list[bool] = []
    seen = [event async for event in guarded(stream(events, closed), limits=limits)]
    return seen, closed == [True]


DONE = Done(FinishReason.STOP, 5, 2)


async def test_a_good_stream_passes_unchanged() -> None:
    events: list[StreamEvent] = [Queued(1), Reasoning("hm"), Delta("Kaixo"), Delta(" mundua"), DONE]
    assert await collect(events) == (events, True)


@pytest.mark.parametrize("kind", [Delta, Reasoning])
async def test_a_loop_ends_the_answer_and_closes_its_source(kind: type[Delta | Reasoning]) -> None:
    endless: list[StreamEvent] = [Delta("Kaixo"), *(kind(" eta") for _ in range(500)), DONE]
    seen, closed = await collect(endless)
    assert (seen[-1], closed) == (Done(FinishReason.LOOP), True)
    assert len(seen) < 100


async def test_a_long_answer_ends_at_its_length() -> None:
    seen, closed = await collect([Delta(NUMBERS), DONE], Limits(max_chars=10))
    assert (seen, closed) == ([Delta(NUMBERS[:10]), Done(FinishReason.LENGTH)], True)


@pytest.mark.parametrize(
    "events",
    [
        (DONE,),
        (Delta(" "), Delta("\n"), DONE),
        (Reasoning("pentsatzen"), DONE),
        (Delta("\n" * 5_000), DONE),
        (Reasoning(" eta" * 500), DONE),
    ],
)
async def test_without_a_word_there_is_no_answer(events: tuple[StreamEvent, ...]) -> None:
    with pytest.raises(EmptyAnswer):
        await collect(events)


async def test_the_sources_error_passes() -> None:
    async def fails() -> AsyncGenerator[StreamEvent, None]:
        yield Delta("Kaixo")
        raise ServerFailed("scripted")

    events = guarded(fails())
    assert await anext(events) == Delta("Kaixo")
    with pytest.raises(ServerFailed):
        await anext(events)


async def test_leaving_early_closes_the_source() -> None:
    closed: list[bool] = []
    events = guarded(stream([Delta("Kaixo"), DONE], closed))
    await anext(events)
    await events.aclose()
    assert closed == [True]
