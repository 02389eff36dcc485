"""What all that ask a model server share: the wire under faults, the pace, the seeds, the journal, the pool."""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.servers import Body, Fault, SmallServer, serving
from training.data.asking.endpoint import Client, Endpoint, Sampling, api_key_from, retry_after_s
from training.data.asking.journal import Claim, Journal, write_whole
from training.data.asking.pace import Pace, back_off_s
from training.data.asking.pool import NO_ANSWER, Pool
from training.data.asking.seeds import seed_of, share_of
from training.data.rows import Fields
from training.errors import BadData, Refused, ServerFailed, Unanswered

WARM = Sampling(temperature=0.8, top_p=0.9, max_tokens=7, stop=("<|eot_id|>",))


class FakeTime:
    """Seconds that pass only where someone sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def echo(body: Body) -> tuple[str, str]:
    return f"{body.get('prompt') or body['messages'][-1]['content']}!{body['seed']}", "stop"


@pytest.fixture
def server() -> Iterator[SmallServer]:
    with serving(SmallServer(completes=echo, chats=echo)) as running:
        yield running


@asynccontextmanager
async def client_of(server: SmallServer, time: FakeTime | None = None, **how: float) -> AsyncIterator[Client]:
    time = time or FakeTime()
    endpoint = Endpoint(server.url, "m", api_key="k", **{"deadline_s": 20.0, "attempts": 4, **how})  # type: ignore[arg-type]
    pace = Pace(clock=time.clock, sleep=time.sleep)
    async with Client(endpoint, pace, rng=random.Random(1)) as client:
        yield client


# the wire


async def test_a_completion_and_a_chat_are_asked_with_all_parameters(server: SmallServer) -> None:
    async with client_of(server) as client:
        completed = await client.complete("Kaixo", WARM, seed=5)
        said = await client.chat([{"role": "user", "content": "Aupa"}], WARM, seed=6)
    assert (completed.text, completed.cut, completed.prompt_tokens) == ("Kaixo!5", False, 5)
    assert said.text == "Aupa!6"
    shared = {"model": "m", "temperature": 0.8, "top_p": 0.9, "max_tokens": 7, "stop": ["<|eot_id|>"]}
    assert server.bodies == [
        {**shared, "prompt": "Kaixo", "seed": 5},
        {**shared, "messages": [{"role": "user", "content": "Aupa"}], "seed": 6},
    ]
    assert server.headers[0]["authorization"] == "Bearer k"


async def test_a_text_that_the_length_limit_ended_is_told(server: SmallServer) -> None:
    server.completes = lambda _: ("Bai, eta", "length")
    async with client_of(server) as client:
        assert (await client.complete("x", WARM, seed=1)).cut


@pytest.mark.parametrize(
    "fault", [Fault.RATE_LIMITED, Fault.BROKEN, Fault.DROPPED, Fault.GARBAGE, Fault.EMPTY]
)
async def test_what_may_pass_is_asked_again_as_it_was(server: SmallServer, fault: Fault) -> None:
    server.faults = {1: fault, 2: fault}
    async with client_of(server) as client:
        assert (await client.complete("x", WARM, seed=3)).text == "x!3"
    assert server.asked == 3
    assert server.bodies[0] == server.bodies[1] == server.bodies[2]


async def test_an_answer_that_does_not_come_is_given_up_at_the_deadline(server: SmallServer) -> None:
    server.faults = {1: Fault.SLOW}
    async with client_of(server, deadline_s=0.3) as client:
        assert (await client.complete("x", WARM, seed=3)).text == "x!3"
    assert server.asked == 2


async def test_retry_after_is_waited_for_by_everyone(server: SmallServer) -> None:
    server.faults, server.retry_after = {1: Fault.RATE_LIMITED}, "30"
    time = FakeTime()
    async with client_of(server, time) as client:
        await client.complete("x", WARM, seed=3)
        assert time.now >= 30
        client._pace.pause(7)
        await client.complete("y", WARM, seed=3)
        assert time.now >= 37


async def test_after_all_attempts_the_row_is_unanswered(server: SmallServer) -> None:
    server.faults = {0: Fault.BROKEN}
    time = FakeTime()
    async with client_of(server, time) as client:
        with pytest.raises(Unanswered, match=r"4 attempts .* status 500"):
            await client.complete("x", WARM, seed=3)
    assert server.asked == 4
    assert len(time.slept) == 3  # none after the last


async def test_a_request_that_is_refused_is_not_asked_again(server: SmallServer) -> None:
    server.faults = {1: Fault.REFUSED}
    async with client_of(server) as client:
        with pytest.raises(Refused, match="400"):
            await client.complete("x", WARM, seed=3)
        await client.complete("x", WARM, seed=3)
    assert server.asked == 2


async def test_refusals_in_a_row_stop_the_run_and_name_the_servers_reason(server: SmallServer) -> None:
    server.faults = dict.fromkeys((1, 2, 4, 5, 6), Fault.REFUSED)
    async with client_of(server, refusals=3) as client:
        for _ in range(2):
            with pytest.raises(Refused):
                await client.complete("x", WARM, seed=3)
        await client.complete("x", WARM, seed=3)
        for _ in range(2):
            with pytest.raises(Refused):
                await client.complete("x", WARM, seed=3)
        with pytest.raises(ServerFailed, match="scripted"):
            await client.complete("x", WARM, seed=3)


@pytest.mark.parametrize("fault", [Fault.UNKNOWN, Fault.UNAUTHORIZED])
async def test_a_wrong_model_or_key_stops_the_run_at_once(server: SmallServer, fault: Fault) -> None:
    server.faults = {0: fault}
    async with client_of(server) as client:
        with pytest.raises(ServerFailed, match=fault.value):
            await client.complete("x", WARM, seed=3)
    assert server.asked == 1


async def test_a_server_that_is_not_there_leaves_the_row_unanswered() -> None:
    async with client_of(SmallServer(url="http://127.0.0.1:9/v1"), attempts=2) as client:
        with pytest.raises(Unanswered, match=r"API\w+Error"):
            await client.complete("x", WARM, seed=3)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 90.0),
        ("Thu, 01 Jan 1970 00:00:01 GMT", None),
        ("soon", None),
        ("-1", None),
        ("inf", None),
        ("nan", None),
    ],
)
def test_retry_after_is_read_as_a_number_and_as_a_date(said: str, seconds: float | None) -> None:
    assert retry_after_s({"retry-after": said}, now=10.0) == seconds
    assert retry_after_s({}, now=10.0) is None


def test_a_key_comes_from_the_environment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "secret")
    assert api_key_from("A_KEY") == "secret"
    assert api_key_from(None) == "none"
    with pytest.raises(BadData, match="NO_SUCH_KEY"):
        api_key_from("NO_SUCH_KEY")
    assert "secret" not in repr(Endpoint("u", "m", api_key="secret"))


# the pace


@given(st.floats(1, 6000), st.lists(st.floats(0, 10), min_size=1, max_size=30))
async def test_no_minute_has_more_requests_than_the_rate(rate: float, gaps: list[float]) -> None:
    time = FakeTime()
    pace, left = Pace(rate, clock=time.clock, sleep=time.sleep), []
    for gap in gaps:
        time.now += gap
        await pace.turn()
        left.append(time.now)
    for one, next_one in pairwise(left):
        assert next_one - one >= 60 / rate - 1e-6


async def test_without_a_rate_nobody_waits_until_the_server_asks() -> None:
    time = FakeTime()
    pace = Pace(clock=time.clock, sleep=time.sleep)
    await pace.turn()
    assert time.slept == []
    pace.pause(5)
    pace.pause(2)  # does not shorten the first
    await pace.turn()
    assert time.now == 5


@given(st.integers(1, 2000), st.integers(0, 99))
def test_the_wait_doubles_with_jitter_up_to_a_minute(attempt: int, seed: int) -> None:
    most = min(60.0, 0.5 * 2.0 ** min(attempt - 1, 20))
    assert most / 2 <= back_off_s(attempt, random.Random(seed)) <= most


# the seeds


def test_seeds_are_those_of_the_place_and_differ_between_places() -> None:
    assert seed_of(33, "instruction", 7) == seed_of(33, "instruction", 7) == 454182811
    seeds = {seed_of(seed, stage, n) for seed in (1, 2) for stage in ("a", "b") for n in range(500)}
    assert len(seeds) == 2000
    assert seed_of(1, "a", 12) != seed_of(1, "a1", 2)  # parts do not run together
    assert all(0 <= seed < 2**31 for seed in seeds)


@given(st.integers(), st.text())
def test_shares_lie_below_one(seed: int, name: str) -> None:
    assert 0 <= share_of(seed, name) < 1


# the journal


def filled(folder: Path, rows: list[int], *, segment_rows: int = 3) -> None:
    with Journal(folder, segment_rows=segment_rows) as journal:
        for index in rows:
            journal.add(index, {"text": f"ñ{index}"})


def test_a_journal_is_read_back_in_order_over_segments(tmp_path: Path) -> None:
    filled(tmp_path, [5, 0, 3, 9])
    filled(tmp_path, [1, 2, 8])
    assert len(list(tmp_path.glob("part-*.jsonl"))) == 3
    with Journal(tmp_path, segment_rows=3) as journal:
        assert list(journal) == [(n, {"index": n, "text": f"ñ{n}"}) for n in (0, 1, 2, 3, 5, 8, 9)]
        assert len(journal) == 7
        assert 4 not in journal
        assert 70 not in journal
        with pytest.raises(KeyError):
            journal.read(4)
        with pytest.raises(ValueError, match="3"):
            journal.add(3, {})


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.permutations(range(7)))
def test_wherever_the_last_file_breaks_off_no_row_is_lost_or_doubled(cut: int, order: list[int]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        filled(folder, order)
        last = max(folder.glob("part-*.jsonl"))
        raw = last.read_bytes()
        last.write_bytes(raw[: cut % (len(raw) + 1)])
        whole = last.read_bytes().count(b"\n")
        with Journal(folder, segment_rows=3) as journal:
            assert len(journal) == 6 + whole
            for index in order:
                if index not in journal:
                    journal.add(index, {"text": f"ñ{index}"})
        with Journal(folder, segment_rows=3) as journal:
            assert [fields["text"] for _, fields in journal] == [f"ñ{n}" for n in range(7)]


@pytest.mark.parametrize(
    "wrong", [b"{\n", b"[]\n", b'{"index": -1}\n', b'{"index": "1"}\n', b'{"index": 0}\n']
)
def test_a_line_that_no_kill_explains_is_named(tmp_path: Path, wrong: bytes) -> None:
    (tmp_path / "part-00000.jsonl").write_bytes(b'{"index": 0}\n' + wrong)
    with pytest.raises(BadData, match=r"part-00000.jsonl:2"):
        Journal(tmp_path)


def test_a_torn_line_before_the_last_file_is_named(tmp_path: Path) -> None:
    filled(tmp_path, [0, 1, 2, 3])
    first = tmp_path / "part-00000.jsonl"
    first.write_bytes(first.read_bytes()[:-2])
    with pytest.raises(BadData, match=r"part-00000.jsonl:3"):
        Journal(tmp_path)


def test_a_folder_is_for_one_process_and_one_request(tmp_path: Path) -> None:
    with Claim(tmp_path, {"seed": 1, "stop": ("a",)}), pytest.raises(BadData, match="another process"):
        Claim(tmp_path, {"seed": 1, "stop": ("a",)})
    with Claim(tmp_path, {"seed": 1, "stop": ("a",)}):
        pass
    with pytest.raises(BadData, match="model, seed differ"):
        Claim(tmp_path, {"seed": 2, "stop": ["a"], "model": "m"})


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.json", b"1")
    write_whole(tmp_path / "a.json", b"22")
    assert [each.name for each in tmp_path.iterdir()] == ["a.json"]
    assert (tmp_path / "a.json").read_bytes() == b"22"


# the pool


async def double(index: int, item: int) -> Fields:
    await asyncio.sleep(0)
    return {"double": item * 2}


async def test_a_pool_asks_for_what_is_missing_and_keeps_its_width(tmp_path: Path) -> None:
    live, most = 0, 0

    async def work(index: int, item: int) -> Fields:
        nonlocal live, most
        live += 1
        most = max(most, live)
        found = await double(index, item)
        live -= 1
        return found

    filled(tmp_path, [2])
    with Journal(tmp_path) as journal:
        await Pool(3).run("rows", ((n, n) for n in range(10)), work, journal, total=10)
        assert [fields.get("double", "there") for _, fields in journal] == [
            n * 2 if n != 2 else "there" for n in range(10)
        ]
    assert most == 3


def failing(*rows: int) -> Fails:
    return Fails(set(rows))


class Fails:
    def __init__(self, rows: set[int]) -> None:
        self.rows = rows
        self.asked: list[int] = []

    async def __call__(self, index: int, item: int) -> Fields:
        self.asked.append(index)
        await asyncio.sleep(0)
        if index in self.rows:
            raise Unanswered("8 attempts failed")
        return {"got": item}


async def test_a_row_without_an_answer_is_left_open_and_asked_for_next_time(tmp_path: Path) -> None:
    items = [(n, n) for n in range(8)]
    with Journal(tmp_path) as journal:
        with pytest.raises(ServerFailed, match=r"no answer for 2 rows \(1, 5 \.\.\).*--leave-unanswered"):
            await Pool(2).run("rows", items, failing(1, 5), journal, total=8)
        assert len(journal) == 6
        again = failing()
        await Pool(2).run("rows", items, again, journal, total=8)
    assert again.asked == [1, 5]


async def test_a_row_without_an_answer_may_be_left_out_while_others_are_answered(tmp_path: Path) -> None:
    items = [(n, n) for n in range(8)]
    with Journal(tmp_path) as journal:
        await Pool(2, leave_unanswered=True).run("rows", items, failing(1, 7), journal, total=8)
        assert {n for n, fields in journal if fields.get("dropped") == NO_ANSWER} == {1, 7}


@pytest.mark.parametrize("leave", [False, True])
async def test_a_server_that_is_away_stops_the_run_and_drops_nothing(tmp_path: Path, leave: bool) -> None:
    work = failing(*range(2, 100))
    with Journal(tmp_path) as journal:
        with pytest.raises(ServerFailed, match="does not answer"):
            await Pool(2, leave_unanswered=leave).run(
                "rows", ((n, n) for n in range(100)), work, journal, total=None
            )
        assert [n for n, _ in journal] == [0, 1]
    assert len(work.asked) < 8


async def test_what_a_pool_notes_stands_before_the_next_row_is_asked_for(tmp_path: Path) -> None:
    def standing() -> list[int]:
        lines = b"".join(part.read_bytes() for part in sorted(tmp_path.glob("part-*")))
        return [json.loads(each)["index"] for each in lines.splitlines()]

    async def work(index: int, item: int) -> Fields:
        assert standing() == list(range(index))
        return {}

    with Journal(tmp_path) as journal:
        await Pool(1).run("rows", ((n, n) for n in range(5)), work, journal, total=5)
