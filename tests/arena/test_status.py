"""The status page for volunteers, which unblinds nobody, and the figures for Prometheus, which would."""

from __future__ import annotations

import ipaddress
import re
from uuid import uuid4

import pytest
from django.conf import settings as site
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries, Settings

from arena import tasks
from arena.models import Campaign
from inference.health.whole import AtWork, Whole, judge_whole
from inference.models import Candidate, Circuit, EndpointDraft, Generation, ModelEndpoint
from inference.types import CircuitState, EndpointHealth
from tests.arena.builders import make_campaign, make_candidate

pytestmark = pytest.mark.django_db
LIVE, DEGRADED, DOWN = EndpointHealth.LIVE, EndpointHealth.DEGRADED, EndpointHealth.DOWN
WELL, SLOW, TOO_FEW = "Everything works", "Some models are slow", "Not enough models at work"
TOKEN = "neurri-token-luzea"


@pytest.fixture
def campaign(db: None) -> Campaign:
    campaign = make_campaign(candidates=3)
    ModelEndpoint.objects.update(health="live")
    return campaign


@pytest.fixture
def english(client: Client) -> Client:
    client.post("/i18n/setlang/", {"language": "en"})
    return client


def said(client: Client) -> str:
    text = client.get("/status/").content.decode()
    found = re.search(r"<h1>(.*?)</h1>", text)
    assert found
    return found[1]


def endpoints(count: int) -> list[ModelEndpoint]:
    return list(ModelEndpoint.objects.order_by("pk")[:count])


def change(count: int, **fields: str) -> None:
    ModelEndpoint.objects.filter(pk__in=[each.pk for each in endpoints(count)]).update(**fields)


def test_all_is_well_while_every_model_at_work_is(campaign: Campaign, english: Client) -> None:
    assert said(english) == WELL
    change(1, health="unknown")  # not looked at yet is not slow
    assert said(english) == WELL


def test_one_slow_model_is_said_of_the_whole(campaign: Campaign, english: Client) -> None:
    change(1, health="degraded")
    assert said(english) == SLOW
    assert "Answers may take longer" in english.get("/status/").content.decode()


@pytest.mark.parametrize("fields", [{"health": "down"}, {"status": "disabled"}, {"status": "shadow"}])
def test_fewer_than_two_models_are_too_few(
    campaign: Campaign, english: Client, fields: dict[str, str]
) -> None:
    change(1, **fields)
    assert said(english) == WELL
    change(2, **fields)
    assert said(english) == TOO_FEW


def test_an_open_circuit_takes_a_model_from_work(campaign: Campaign, english: Client) -> None:
    for endpoint in endpoints(2):
        Circuit.objects.create(
            endpoint=endpoint, state="open", opened_at=timezone.now(), retry_at=timezone.now()
        )
    assert said(english) == TOO_FEW
    Circuit.objects.update(state="half_open")
    assert said(english) == WELL


def test_a_second_endpoint_of_a_candidate_is_no_second_model(campaign: Campaign, english: Client) -> None:
    change(2, health="down")
    left = ModelEndpoint.objects.exclude(health="down").get()
    ModelEndpoint.objects.create(candidate=left.candidate, base_url="http://127.0.0.1:10/v1", model="m")
    assert said(english) == TOO_FEW


def test_a_slow_endpoint_beside_a_good_one_of_the_same_model_is_no_matter(
    campaign: Campaign, english: Client
) -> None:
    other = endpoints(1)[0]
    ModelEndpoint.objects.create(
        candidate=other.candidate, base_url="http://127.0.0.1:10/v1", model="m", health="degraded"
    )
    assert said(english) == WELL


def states() -> list[dict[str, str]]:
    return [{}, {"health": "degraded"}, {"health": "down"}, {"status": "disabled"}]


@pytest.mark.parametrize("fields", states())
@pytest.mark.parametrize("language", ["eu", "es", "en"])
def test_the_page_names_and_counts_nothing(
    campaign: Campaign, client: Client, fields: dict[str, str], language: str
) -> None:
    change(2, **fields)
    ModelEndpoint.objects.update(running=4711, waiting=1337, probe_first_token_ms=2718, health_detail="busy")
    client.post("/i18n/setlang/", {"language": language})
    answer = client.get("/status/")
    main = answer.content.decode().split('<main id="main" tabindex="-1">')[1].split("</main>")[0]
    seen = answer.content.decode() + str(answer.headers) + str(answer.cookies)
    secrets = [
        *Candidate.objects.values_list("code", flat=True),
        *Candidate.objects.values_list("name", flat=True),
        *map(str, Candidate.objects.values_list("pk", flat=True)),
        *map(str, ModelEndpoint.objects.values_list("pk", flat=True)),
        *ModelEndpoint.objects.values_list("model", flat=True),
        *ModelEndpoint.objects.values_list("base_url", flat=True),
        *("127.0.0.1:9", "4711", "1337", "2718", "busy", "degraded"),
    ]
    assert [secret for secret in secrets if secret in seen] == []
    assert not re.search(r"\d", re.sub(r"<[^>]+>", "", main))


def test_which_model_is_slow_changes_no_byte(campaign: Campaign, english: Client) -> None:
    pages = set()
    for slow in ModelEndpoint.objects.values_list("pk", flat=True):
        ModelEndpoint.objects.update(health="live")
        ModelEndpoint.objects.filter(pk=slow).update(health="degraded")
        text = english.get("/status/").content.decode()
        pages.add(re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text))
    assert len(pages) == 1


def test_the_page_asks_one_thing_of_the_database_and_is_not_kept(
    campaign: Campaign, client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        answer = client.get("/status/")
    assert "no-store" in answer.headers["Cache-Control"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


at_work = st.builds(AtWork, st.uuids(), st.sampled_from(EndpointHealth), st.sampled_from(CircuitState))


@given(st.lists(at_work, max_size=6))
def test_the_whole_follows_from_what_answers(rows: list[AtWork]) -> None:
    answering = [each for each in rows if each.health is not DOWN and each.circuit is not CircuitState.OPEN]
    expected = Whole.WELL
    if len(answering) < 2:
        expected = Whole.TOO_FEW
    elif any(each.health is DEGRADED for each in answering):
        expected = Whole.SLOW
    assert judge_whole(rows) is expected
    assert judge_whole(reversed(rows)) is expected


def test_the_best_endpoint_of_a_candidate_speaks_for_it() -> None:
    one, other = uuid4(), uuid4()
    rows = [AtWork(one, DEGRADED), AtWork(one, LIVE), AtWork(other, LIVE)]
    assert judge_whole(rows) is Whole.WELL
    assert judge_whole([*rows[:1], *rows[2:]]) is Whole.SLOW


# /metrics


@pytest.fixture
def token(settings: Settings) -> str:
    settings.LEHIA_METRICS_TOKEN = TOKEN
    return TOKEN


def fetched(client: Client, address: str, **headers: str) -> int:
    return client.get("/metrics", REMOTE_ADDR=address, headers=headers).status_code


@pytest.mark.parametrize(
    ("address", "status"),
    [
        *(("127.0.0.1", 200), ("::1", 200), ("127.8.9.1", 200)),
        *(("10.0.0.1", 403), ("192.168.1.1", 403), ("203.0.113.9", 403), ("", 403), ("unix:", 403)),
    ],
)
def test_only_this_host_reads_metrics_by_default(client: Client, address: str, status: int) -> None:
    assert fetched(client, address) == status


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-Ip"])
def test_what_a_proxy_on_this_host_passes_on_is_not_this_host(client: Client, header: str) -> None:
    assert fetched(client, "127.0.0.1", **{header: "127.0.0.1"}) == 403


def test_a_named_network_reads_metrics(client: Client, settings: Settings) -> None:
    settings.LEHIA_METRICS_NETWORKS = (ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("fd00::/8"))
    assert [fetched(client, each) for each in ("10.1.2.3", "fd00::1", "10.2.0.1")] == [200, 200, 403]


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer {TOKEN}", 200),
        (f"Bearer {TOKEN}x", 403),
        ("Bearer ", 403),
        (f"Basic {TOKEN}", 403),
        (TOKEN, 403),
        ("Bearer \u00f1", 403),
    ],
)
def test_only_the_right_token_opens_metrics_from_afar(
    client: Client, token: str, header: str, status: int
) -> None:
    assert fetched(client, "203.0.113.9", Authorization=header) == status


def test_without_a_token_in_the_settings_no_token_opens(client: Client) -> None:
    assert site.LEHIA_METRICS_TOKEN == ""
    for given_token in ("", "x", "None"):
        assert fetched(client, "203.0.113.9", Authorization=f"Bearer {given_token}") == 403


def test_metrics_are_prometheus_text_and_a_refusal_tells_nothing(client: Client) -> None:
    answer = client.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert b"# TYPE lehia_" in answer.content
    assert client.get("/metrics", REMOTE_ADDR="10.0.0.1").content == b"not from here\n"
    assert client.post("/metrics").status_code == 405


@pytest.mark.django_db
def test_old_records_and_forgotten_drafts_are_pruned_by_beat() -> None:
    endpoint = ModelEndpoint.objects.get(candidate=make_candidate())
    for when in ("2020-01-01T00:00:00Z", timezone.now()):
        Generation.objects.create(
            endpoint=endpoint, request_id="r", outcome="done", duration_ms=1, ended_at=when
        )
    draft = EndpointDraft.objects.create(base_url="http://127.0.0.1:9/v1", provider="vllm")
    EndpointDraft.objects.filter(pk=draft.pk).update(created_at="2020-01-01T00:00:00Z")
    assert tasks.prune_traffic() == 2
    assert Generation.objects.count() == 1
    planned = {each["task"] for each in site.CELERY_BEAT_SCHEDULE.values()}
    assert {"arena.tasks.prune_traffic", "arena.tasks.probe_endpoints"} <= planned
