"""The relay's benchmark runs and says what it claims to; its figures are not judged here."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.transcript import MarkdownStream
from benchmarks import relay_processes as processes
from benchmarks.relay import MOST_ADDED_MS, Row, holds, load_bound, measured, ratios
from benchmarks.relay_clock import STREAMS, SendTimes
from benchmarks.relay_load import percentile
from benchmarks.relay_readers import GradioVisitor, Meter, Pane, SocketVisitor
from benchmarks.relay_search import FINENESS, capacity
from benchmarks.relay_server import chunk, last_chunks, text_chunk
from benchmarks.relay_site import Started
from benchmarks.relay_text import MARK, WORDS, answer
from inference.processes import wait_until
from inference.sse import EventParser

WHO = {"lehia", "bare", "openai"}
FIGURES = {
    *("tokens", "delivered", "added_p50_ms", "added_p99_ms", "first_token_p50_ms", "first_token_p99_ms"),
    *("cpu_us_per_token", "cpu_share", "others_share", "peak_mb", "failures", "load_lag_p99_ms"),
    *("load_cpu_share", "load_bound", "disturbed"),
}


@pytest.mark.slow  # five servers, half a minute of a core
def test_it_ends_in_one_line_of_json_with_a_row_a_server(repository: Path) -> None:
    env = {name: each for name, each in os.environ.items() if not name.startswith(("LEHIA_", "DATABASE_"))}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.relay", "--quick", "--peers", "/nowhere/python"],
        capture_output=True,
        text=True,
        check=True,
        cwd=repository,
        env=env,
    )
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["bench"] == "relay"
    rows = report["rows"]
    assert {row["who"] for row in rows} == WHO
    assert [row["display"] for row in rows] == ["unpaced", "paced", "unpaced", "unpaced"]
    assert all(set(row) >= FIGURES and row["battles"] == 2 for row in rows)
    assert all(row["tokens"] > 0 and row["failures"] == 0 and row["peak_mb"] > 0 for row in rows)


@given(st.integers(1, 500), st.integers(1, 60), st.integers(1, 500))
def test_the_search_ends_beside_the_largest_load_that_is_carried(true: int, begin: int, most: int) -> None:
    tried: list[int] = []

    def carries(asked: int) -> bool:
        tried.append(asked)
        return asked <= true

    found, ended = capacity(carries, begin=begin, most=most)
    assert found <= min(true, most)
    assert ended == (true < most)
    assert found >= min(true, most) - max(1, true // FINENESS)
    assert len(tried) < 20


def test_a_server_that_carries_nothing_has_no_capacity() -> None:
    assert capacity(lambda _asked: False, begin=8, most=100) == (0, True)


@given(st.integers(0, 1000))
def test_every_token_of_the_prose_holds_one_mark(seed: int) -> None:
    tokens = answer(seed, 200)
    assert tokens == answer(seed, 300)[:200]
    assert all(token.count(MARK) == 1 for token in tokens)


def test_the_words_hold_one_mark_each() -> None:
    assert [word for word in WORDS if word.count(MARK) != 1] == []


@given(st.integers(0, 1000), st.integers(1, 9))
def test_what_the_site_shows_of_the_prose_holds_as_many_marks(seed: int, step: int) -> None:
    tokens = answer(seed, 150)
    stream, sealed = MarkdownStream(), 0
    for at in range(0, len(tokens), step):
        stream.feed("".join(tokens[at : at + step]))
        sealed += sum(block.count(MARK) for block in stream.take_sealed())
        assert sealed + stream.open_block().count(MARK) == min(at + step, len(tokens))


def test_the_fake_server_sends_events_that_our_own_client_reads() -> None:
    sent = text_chunk(" kaixo") + chunk("[DONE]") + last_chunks(7)
    lines = [line for line in sent.split(b"\r\n") if line.startswith(b"data")]
    events = [event for line in lines for event in EventParser().feed(line)]
    first = msgspec.json.decode(events[0])
    assert first["choices"][0]["delta"] == {"content": " kaixo"}
    assert msgspec.json.decode(events[3])["usage"]["completion_tokens"] == 7
    assert events[1] == events[-1] == b"[DONE]"


def test_each_token_is_timed_from_its_own_sending(tmp_path: Path) -> None:
    times = SendTimes(tmp_path / "times", 4)
    for token in range(4):
        times.note(5 + STREAMS, token, float(token))
    meter = Meter(SendTimes(tmp_path / "times", 4), counts=True)
    pane = Pane(asked=0.0)
    meter.show(pane, 1, "5k")
    meter.show(pane, 4, "")
    assert (len(meter.first_ms), len(meter.added_ms), pane.shown) == (1, 4, 4)
    gaps = [meter.added_ms[token] - meter.added_ms[token + 1] for token in (1, 2)]
    assert gaps == pytest.approx([1000, 1000])


async def test_gradios_edits_are_counted_as_what_they_show(tmp_path: Path) -> None:
    meter = Meter(SendTimes(tmp_path / "times", 9), counts=True)
    async with aiohttp.ClientSession() as http:
        visitor: SocketVisitor = GradioVisitor(http, "", meter, asyncio.Event())
        assert isinstance(visitor, GradioVisitor)
        pane = Pane(asked=0.0)
        visitor.update(pane, msgspec.Raw(b'[{"role":"assistant","content":"3k etxeak"}]'), whole=True)
        assert (pane.stream, pane.shown) == (3, 2)
        visitor.update(pane, msgspec.Raw(b'[["append",[1,"content"]," kalea neska"]]'), whole=False)
        assert pane.shown == 4
        visitor.update(pane, msgspec.Raw(b"[]"), whole=False)
    assert (pane.shown, meter.frames) == (4, 2)


GOOD = {"added_p99_ms": MOST_ADDED_MS, "delivered": 0.97, "failures": 0}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"added_p99_ms": MOST_ADDED_MS + 1}, False),
        ({"added_p99_ms": None}, False),
        ({"delivered": 0.5}, False),
        ({"failures": 1}, False),
    ],
)
def test_a_load_is_carried_when_all_of_it_comes_in_time(change: dict[str, object], expected: bool) -> None:
    assert holds(GOOD | change) is expected


@pytest.mark.parametrize(("share", "late", "expected"), [(0.3, 5, False), (0.9, 5, True), (0.3, 80, True)])
def test_a_load_generator_without_room_is_told(share: float, late: float, expected: bool) -> None:
    assert load_bound({"load_cpu_share": share, "load_lag_p99_ms": late}) is expected


def test_capacities_are_compared_within_the_run() -> None:
    shared = {"case": "capacity", "at_least": False}
    rows = [
        shared | {"who": "lehia", "battles": 90, "workers": 1},
        shared | {"who": "gradio", "battles": 15, "workers": 1},
        shared | {"who": "bare", "battles": 0, "workers": 1},
        shared | {"who": "lehia", "battles": 150, "workers": 2, "at_least": True},
    ]
    told = {row["case"]: (row["times"], row["at_least"]) for row in ratios(rows)}
    assert told == {"capacity over gradio's": (6.0, False), "two workers over one": (1.67, True)}


@dataclass
class Scripted:
    """In place of a bench: carries so many battles; beyond them, others may be to blame."""

    true: int
    disturbed: bool = False

    def row(self, server: Started, battles: int, *, workers: int = 1) -> Row:
        late = MOST_ADDED_MS * (1 if battles <= self.true else 2)
        about = {"case": f"{battles} battles", "who": server.who, "battles": battles, "workers": workers}
        return GOOD | about | {"added_p99_ms": late, "load_bound": False, "disturbed": self.disturbed}


@pytest.mark.parametrize("disturbed", [True, False])
def test_a_capacity_is_a_least_one_where_others_took_the_core(disturbed: bool) -> None:
    bench: Any = Scripted(40, disturbed)
    *rows, last = measured(bench, Started("lehia", "", 0), [1, 25, 60], most=100)
    assert [row["battles"] for row in rows[:3]] == [1, 25, 60]
    assert (last["case"], last["at_least"]) == ("capacity", disturbed)
    assert 36 <= last["battles"] <= 40


def test_a_load_alone_is_no_search() -> None:
    bench: Any = Scripted(40)
    assert [row["battles"] for row in measured(bench, Started("lehia", "", 0), [2], most=0)] == [2]


def test_a_familys_work_is_counted_with_its_children() -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as parent:
        assert wait_until(lambda: len([*processes.family(parent.pid)]) == 2, within_s=30)
        processes.wait_until_idle(parent.pid)
        assert 0 < processes.cpu_s(parent.pid) < processes.busy_s(range(os.cpu_count() or 1))
        processes.forget_peak(parent.pid)
        assert processes.peak_mb(parent.pid) > 1
        parent.communicate(b"\n")


def test_only_children_are_held_to_cores() -> None:
    own = os.sched_getaffinity(0)
    core = max(own)
    command = [sys.executable, "-c", "import os; print(*os.sched_getaffinity(0))"]
    with processes.children_on({core}):
        child = subprocess.run(command, capture_output=True, text=True, check=True)
    assert child.stdout.split() == [str(core)]
    assert os.sched_getaffinity(0) == own


def test_percentiles_of_nothing_are_nothing() -> None:
    assert percentile([], 99) is None
    assert percentile([1.0, 2.0, 3.0], 50) == 2.0
