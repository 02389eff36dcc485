"""What ``/metrics`` of a running site tells: two web processes that share a folder, and a worker."""

from __future__ import annotations

import asyncio
import re
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
import pytest
from django.conf import settings as site_settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families
from psycopg_pool import PoolTimeout
from pytest_django.fixtures import Settings

from arena.database.base import Pool
from arena.demo.volunteer import Volunteer
from arena.embedded.ports import free_port
from arena.embedded.processes import end
from arena.models import Participant
from arena.observing import notes, site
from arena.protocol import SUBPROTOCOL
from arena.services.exclusions import exclude, lift
from arena.types import ExclusionSource
from inference import metrics
from inference.fakes import FakeModelServer, fake_model_server
from inference.models import Candidate, ModelEndpoint
from inference.processes import wait_until
from ranking.filters import ExclusionReason
from tests.arena.builders import make_campaign, make_participant
from tests.arena.exports.made import voted
from tests.arena.observing import sites
from tests.arena.observing.sites import Started, send
from tests.valkey import Valkey, running

pytestmark = pytest.mark.django_db(transaction=True)

Figures = dict[str, float]
WORD = "xagusagarra"


def read(address: str) -> str:
    with urllib.request.urlopen(f"{address}/metrics", timeout=30) as answer:
        return str(answer.read().decode())


def figures(page: str) -> Figures:
    """Samples by name and labels, as they are written."""
    return {
        f"{sample.name}{{{','.join(f'{key}={value}' for key, value in sorted(sample.labels.items()))}}}": sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def waited(address: str, name: str, is_right: Callable[[float], bool]) -> bool:
    return wait_until(lambda: is_right(figures(read(address)).get(name, -1.0)), within_s=60, step_s=0.2)


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    with running() as server:
        yield server


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("figures")


@pytest.fixture(scope="module")
def pair(
    django_db_setup: None, valkey: Valkey, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Started, Started]]:
    logs = tmp_path_factory.mktemp("logs")
    env = {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
    with sites.web(valkey.url, logs / "a", env=env) as a, sites.web(valkey.url, logs / "b", env=env) as b:
        yield a, b


async def one_battle(a: Started, b: Started) -> None:
    """Answered by one process, while a socket is open to each."""
    async with fake_model_server(FakeModelServer(words=(WORD, " bai"))) as server:
        await asyncio.to_thread(_serve_from, server.base_url)
        await Volunteer(a.address, reads_s=0).play(f"Zer da {WORD}?")
        async with aiohttp.ClientSession() as http, ws(http, a), ws(http, b):
            name = "lehia_sockets_open{}"
            assert await asyncio.to_thread(waited, b.address, name, lambda sockets: sockets == 2)


def ws(http: aiohttp.ClientSession, started: Started) -> aiohttp.client._WSRequestContextManager:
    origin = {"Origin": started.address}
    return http.ws_connect(f"{started.address}/ws/battle/", protocols=[SUBPROTOCOL], headers=origin)


def _serve_from(address: str) -> None:
    make_campaign()
    ModelEndpoint.objects.update(base_url=address, health="live")
    connection.close()


def test_both_processes_tell_the_sum_of_what_each_did(pair: tuple[Started, Started]) -> None:
    a, b = pair
    asyncio.run(one_battle(a, b))
    for each in pair:
        assert waited(each.address, "lehia_sockets_open{}", lambda sockets: sockets == 0)
    told = figures(read(b.address))
    assert told["lehia_turns_total{outcome=complete}"] == 1
    assert told["lehia_turn_seconds_count{}"] == 1
    assert told["lehia_battles_answering{}"] == 0
    assert (
        told["lehia_votes_total{kind=counted,result=accepted}"]
        + told.get("lehia_votes_total{kind=set_aside,result=accepted}", 0)
        == 1
    )
    assert told["lehia_http_requests_total{route=vote,status=2xx}"] == 1
    assert told["lehia_http_request_seconds_count{route=vote}"] == 1
    assert told["lehia_db_connections_waiting{}"] == 0
    assert (
        told["lehia_db_connections_limit{}"]
        == 2 * site_settings.DATABASES["default"]["OPTIONS"]["pool"]["max_size"]
    )
    assert told["lehia_database_up{}"] == told["lehia_valkey_up{}"] == 1
    assert told["lehia_candidates_answering{}"] == 2
    live = "lehia_endpoints{health=live,status=active}"  # counted once in half a minute, for any test
    assert waited(b.address, live, lambda endpoints: endpoints == 2)
    assert told["lehia_disk_free_bytes{folder=data}"] <= told["lehia_disk_size_bytes{folder=data}"]


def test_no_label_names_a_model_a_person_or_an_address(pair: tuple[Started, Started]) -> None:
    page = read(pair[0].address)
    labels = set(re.findall(r'([a-z_]+)="', page))
    assert labels <= {
        "endpoint",
        "kind",
        "le",
        "route",
        "status",
        "result",
        "code",
        "outcome",
        "level",
        "health",
    } | {*("reason", "queue", "task", "folder")}
    people = map(str, Participant.objects.values_list("pk", flat=True))
    for word in (WORD, *Candidate.objects.values_list("code", flat=True), *people, "http:"):
        assert word not in page


def test_addresses_that_strangers_make_up_are_one_label(pair: tuple[Started, Started]) -> None:
    for number in range(3):
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(f"{pair[0].address}/{WORD}-{number}/", timeout=30)
    told = figures(read(pair[1].address))
    assert told["lehia_http_requests_total{route=unknown,status=4xx}"] >= 3


def test_a_process_that_was_killed_has_no_socket_open(
    pair: tuple[Started, Started], valkey: Valkey, folder: Path, tmp_path: Path
) -> None:
    async def leave_one_open(killed: Started) -> None:
        async with aiohttp.ClientSession() as http, ws(http, killed):
            assert await asyncio.to_thread(waited, pair[0].address, "lehia_sockets_open{}", lambda n: n == 1)
            end(killed.process, sig=signal.SIGKILL)

    with sites.web(valkey.url, tmp_path / "c", env={"PROMETHEUS_MULTIPROC_DIR": str(folder)}) as third:
        asyncio.run(leave_one_open(third))
    assert figures(read(pair[0].address))["lehia_sockets_open{}"] == 0


def test_jobs_are_told_by_whoever_is_asked(
    pair: tuple[Started, Started], valkey: Valkey, tmp_path: Path
) -> None:
    for _ in range(2):
        send(valkey, "arena.tasks.reap_turns")
    before = figures(read(pair[0].address))
    assert before["lehia_job_queue_length{queue=celery}"] == 2
    assert before["lehia_job_oldest_seconds{queue=celery}"] > 0
    assert before["lehia_task_interval_seconds{task=reap_turns}"] == 30
    never = "lehia_task_last_success_timestamp_seconds{task=publish_boards}"
    assert before[never] <= time.time()
    send(valkey, "arena.tasks.write_export", "ez da id bat")
    port = free_port()
    with sites.worker(valkey.url, tmp_path / "w", {"LEHIA_WORKER_METRICS": f"127.0.0.1:{port}"}):
        assert waited(pair[0].address, "lehia_task_runs_total{task=reap_turns}", lambda n: n == 2)
        assert waited(pair[0].address, "lehia_task_failures_total{task=write_export}", lambda n: n == 1)
        own = figures(read(f"http://127.0.0.1:{port}"))
        assert own["lehia_log_lines_total{level=error}"] == 1
    after = figures(read(pair[1].address))
    assert (
        after["lehia_job_queue_length{queue=celery}"] == after["lehia_job_oldest_seconds{queue=celery}"] == 0
    )
    assert after["lehia_task_last_success_timestamp_seconds{task=reap_turns}"] > before[never] - 60
    assert after["lehia_task_failures_total{task=reap_turns}"] == 0
    assert after[never] == before[never]  # it never succeeded: its age grows


def test_what_failed_lately_is_noted_with_ids_alone(
    settings: Settings, valkey: Valkey, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> None:
        raise RuntimeError(WORD)

    settings.REDIS_URL = valkey.url
    notes.client().delete(notes.ERRORS)
    monkeypatch.setattr("arena.views.status.whole", fails)
    client.raise_request_exception = False
    assert client.get(f"/status/?q={WORD}").status_code == 500
    assert wait_until(lambda: bool(notes.failures()), within_s=30)
    (failure,) = notes.failures()
    assert (failure.kind, failure.place) == ("RuntimeError", "status")
    notes.note_failures([failure] * (notes.MOST_ERRORS + 5))
    assert len(notes.failures()) == notes.MOST_ERRORS


def test_a_database_and_a_valkey_that_are_away_are_told_of(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REDIS_URL = "unix:///nonexistent/valkey.sock"
    told = {
        metric.name: metric.samples[0].value for metric in site.SiteCollector().collect() if metric.samples
    }
    assert (told["lehia_database_up"], told["lehia_valkey_up"]) == (1, 0)
    assert "lehia_job_queue_length" not in told
    assert told["lehia_disk_size_bytes"] > 0


def test_the_newest_whole_backup_is_the_one_that_counts(settings: Settings, tmp_path: Path) -> None:
    settings.LEHIA_BACKUPS = tmp_path
    assert site.newest_backup() is None
    (tmp_path / ".unfinished-1").mkdir()
    for name in ("lehia-1", "lehia-2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text("{}")
    assert abs((site.newest_backup() or 0) - time.time()) < 600


def test_exclusions_are_counted_by_reason_as_they_stand() -> None:
    campaign = make_campaign()
    first, second = (voted(make_participant(campaign), text=f"Galdera {n}").vote.pk for n in range(2))
    for vote_id in (first, second):
        exclude(vote_id=vote_id, reason=ExclusionReason.MODERATED, source=ExclusionSource.STAFF)
    lift(vote_id=first, reason=ExclusionReason.MODERATED)
    assert dict(site.exclusions_by_reason())["moderated"] == 1


def test_whoever_waits_for_a_connection_in_vain_is_counted() -> None:
    def told(name: str) -> float:
        return figures(metrics.render()[0].decode())[f"lehia_db_connections_{name}{{}}"]

    before = told("in_use"), told("refused_total")
    with Pool(kwargs=connection.get_connection_params(), min_size=0, max_size=1, open=True) as pool:
        taken = pool.getconn()
        assert told("in_use") == before[0] + 1
        with pytest.raises(PoolTimeout):
            pool.getconn(timeout=0.1)
        pool.putconn(taken)
    assert (told("in_use"), told("waiting"), told("refused_total")) == (before[0], 0, before[1] + 1)


def test_a_page_of_figures_costs_few_questions(settings: Settings, valkey: Valkey) -> None:
    settings.REDIS_URL = valkey.url
    site._kept.clear()
    with CaptureQueriesContext(connection) as asked:
        list(site.SiteCollector().collect())
    assert len(asked) == 5
    with CaptureQueriesContext(connection) as again:
        list(site.SiteCollector().collect())
    assert len(again) == 2
