"""Log lines of real processes: JSON, with the ids of what they are about, and nothing that somebody wrote or is."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from uuid import UUID, uuid4

import aiohttp
import pytest
from channels.db import database_sync_to_async
from django.db import IntegrityError, connection
from django.test import Client

from arena.celery import app
from arena.models import Participant
from arena.observing import context
from arena.protocol import SUBPROTOCOL
from arena.services.campaigns import ensure_default_campaign
from inference.fakes import FakeModelServer, fake_model_server
from inference.models import ModelEndpoint
from tests.arena.builders import make_candidate, make_participant
from tests.arena.observing import sites
from tests.arena.observing.sites import Started, send
from tests.arena.test_socket import cookie_of
from tests.valkey import Valkey, running

pytestmark = pytest.mark.django_db(transaction=True)

WORD = "xaguzomorro"
AGENT = f"{WORD}-nabigatzailea"
PLAIN = re.compile(r"[0-9a-f]{16}")


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    with running() as server:
        yield server


@pytest.fixture(scope="module")
def site(
    django_db_setup: None, valkey: Valkey, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Started]:
    with sites.web(valkey.url, tmp_path_factory.mktemp("web") / "log") as started:
        yield started


@pytest.fixture(scope="module")
def behind_a_proxy(
    django_db_setup: None, valkey: Valkey, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Started]:
    log = tmp_path_factory.mktemp("proxied") / "log"
    with sites.web(valkey.url, log, "--log-level", "warning", env={"LEHIA_PROXIES": "1"}) as started:
        yield started


@pytest.fixture(scope="module")
def worker(
    django_db_setup: None, valkey: Valkey, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Started]:
    with sites.worker(valkey.url, tmp_path_factory.mktemp("worker") / "log") as started:
        yield started


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(headers={"User-Agent": AGENT}) as session:
        yield session


def seeded(server: FakeModelServer) -> tuple[Participant, str]:
    for _ in range(2):
        make_candidate(base_url=server.base_url)
    ModelEndpoint.objects.update(provider="vllm")  # which is told the request's id
    participant = make_participant(ensure_default_campaign())
    return participant, cookie_of(participant)


async def test_a_page_s_line_carries_the_id_that_its_answer_told(
    site: Started, http: aiohttp.ClientSession
) -> None:
    for path, route, status in (
        ("/about/", "about", 200),
        (f"/{WORD}/?q={WORD}", "unknown", 404),
        (f"/battle/{uuid4()}/", "battle", 404),
    ):
        async with http.get(f"{site.address}{path}", headers={"X-Request-ID": "a" * 16}) as answer:
            own = answer.headers["X-Request-ID"]
        assert PLAIN.fullmatch(own)
        assert own != "a" * 16
        line = site.until(request_id=own, logger="arena.requests")
        assert (line["route"], line["status"], line["method"]) == (route, status, "GET")
        assert {"time", "level", "message", "duration_ms"} <= line.keys()
        if route == "battle":
            assert path == f"/battle/{UUID(line['battle'])}/"
    assert WORD not in site.text()


async def test_a_battle_s_lines_join_socket_turn_and_what_model_servers_were_told(
    site: Started, http: aiohttp.ClientSession
) -> None:
    async with fake_model_server(FakeModelServer(words=(WORD, " mundua"))) as server:
        participant, cookie = await database_sync_to_async(seeded)(server)
        headers = {"Cookie": f"sessionid={cookie}", "Origin": site.address}
        async with http.ws_connect(
            f"{site.address}/ws/battle/", protocols=[SUBPROTOCOL], headers=headers
        ) as socket:
            own = socket._response.headers["X-Request-ID"]
            await socket.send_json({"type": "turn", "text": f"Zer da {WORD}?", "key": str(uuid4())})
            battle = ""
            async for message in socket:
                frame = json.loads(message.data)
                battle = frame.get("battle", battle)
                if frame["type"] == "state" and frame["status"] == "ready":
                    break
        told = {each["x-request-id"] for each in server.headers}
    ended = site.until(logger="arena.runner", request_id=own)
    assert ended["battle"] == battle
    site.until(logger="arena.consumers", message="socket closed with 1000", battle=battle)
    asked = [
        line
        for line in site.lines()
        if line["logger"] == "inference.gateway" and line.get("request_id") == own
    ]
    assert {line["generation"] for line in asked} == told
    assert {(line["battle"], line["turn"]) for line in asked} == {(battle, ended["turn"])}
    assert all(line["endpoint"] for line in asked)
    for secret in (WORD, "127.0.0.1 ", "127.0.0.1:", cookie, str(participant.pk)):
        assert secret not in site.text().replace(site.address, ""), secret


async def test_lines_of_the_server_itself_are_json_too(site: Started, http: aiohttp.ClientSession) -> None:
    site.until(logger="uvicorn.error", message="Application startup complete.")
    reader_text = site.text()
    assert reader_text.splitlines()[0].startswith("{")
    assert "uvicorn.access" not in reader_text


@pytest.mark.parametrize(
    ("given", "is_taken"),
    [
        ("k7f29xq3-proxy", True),
        ("a" * 64, True),
        ("a" * 65, False),
        ("short", False),
        ("a b c d e f g", False),
        ('{"a":"bcdefg"}', False),
    ],
)
async def test_the_proxy_s_id_is_taken_where_it_is_short_and_plain(
    behind_a_proxy: Started, http: aiohttp.ClientSession, given: str, is_taken: bool
) -> None:
    headers = {"X-Request-ID": given}
    async with http.get(f"{behind_a_proxy.address}/about/", headers=headers) as answer:
        own = answer.headers["X-Request-ID"]
    assert (own == given) is is_taken
    assert behind_a_proxy.until(request_id=own)["status"] == 200


async def test_two_ids_at_once_are_none(behind_a_proxy: Started, http: aiohttp.ClientSession) -> None:
    headers = [("X-Request-ID", "lehenengoa"), ("X-Request-ID", "bigarrena")]
    async with http.get(f"{behind_a_proxy.address}/about/", headers=headers) as answer:
        assert PLAIN.fullmatch(answer.headers["X-Request-ID"])


def test_a_task_s_lines_carry_the_id_of_the_request_that_ordered_it(worker: Started, valkey: Valkey) -> None:
    token = context.begin(request_id="eskaera-0001")
    try:
        ordered = send(valkey, "arena.tasks.write_export", str(uuid4()))
    finally:
        context.end(token)
    alone = send(valkey, "arena.tasks.reap_turns")
    assert worker.until(logger="arena.jobs", task_id=ordered)["task"] == "write_export"
    own = [line for line in worker.lines() if line.get("task_id") == ordered]
    assert {line.get("request_id") for line in own} == {"eskaera-0001"}
    line = worker.until(logger="arena.jobs", task_id=alone)
    assert "request_id" not in line
    assert line["message"].startswith("success in ")


def test_a_task_that_fails_says_so_without_what_it_was_called_with(worker: Started, valkey: Valkey) -> None:
    sent = send(valkey, "arena.tasks.write_export", f"{WORD} ez da id bat")
    failed = worker.until(logger="celery.app.trace", task_id=sent)
    assert (failed["level"], failed["error"]) == ("ERROR", "ValueError")
    assert "traceback" in failed
    worker.until(logger="arena.jobs", task_id=sent)
    assert WORD not in worker.text()


def test_celery_s_own_line_on_a_row_that_the_database_refused_leaves_the_row_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    @app.task(name="tests.refused")
    def refused() -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE arrasto (hitza text CHECK (hitza = ''))")
            cursor.execute("INSERT INTO arrasto VALUES (%s)", [WORD])

    done = refused.apply()
    assert done.failed()
    with pytest.raises(IntegrityError, match=WORD):
        done.get()
    assert "arrasto_hitza_check" in caplog.text
    assert WORD not in caplog.text


def test_the_page_of_a_failure_tells_its_number_in_the_reader_s_language(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError

    client.raise_request_exception = False
    monkeypatch.setattr("arena.views.status.whole", fails)
    for language, says in (("eu", "Zerbait gaizki joan da"), ("en", "Something went wrong")):
        client.post("/i18n/setlang/", {"language": language})
        token = context.begin(request_id="zenbakia-77")
        page = client.get("/status/")
        context.end(token)
        assert page.status_code == 500
        text = page.content.decode()
        assert "<code>zenbakia-77</code>" in text
        assert (says in text, f'lang="{language}"' in text) == (True, True)
    assert b"<code>" not in client.get("/status/").content
