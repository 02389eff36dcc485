"""Pages of endpoints for every state that can be stored, and what two admins do at once."""

from __future__ import annotations

import re
import threading
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.utils import timezone, translation
from pytest_django import DjangoAssertNumQueries

from arena.models import User
from inference import services
from inference.admin import wording
from inference.admin.shown import shown
from inference.errors import IllegalTransition
from inference.health.overview import overview
from inference.health.types import StepName
from inference.models import Candidate, Circuit, EndpointCheck, EndpointUsage, ModelEndpoint
from inference.types import CircuitState, EndpointHealth, EndpointStatus, SystemPromptMode
from inference.wizard.smoke import PROMPTS
from inference.wizard.types import CheckOutcome, CheckStep

pytestmark = pytest.mark.django_db
LIST = "/admin/inference/modelendpoint/"
URL = "http://127.0.0.1:9/v1"


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("admin"))
    client.post("/i18n/setlang/", {"language": "en"})
    return client


@pytest.fixture
def endpoint() -> ModelEndpoint:
    return services.add_endpoint(base_url=URL, model="gpt", name="GPT Bat", api_key="sk-gakoa-bat")


def text_of(staff: Client, path: str) -> str:
    answer = staff.get(path)
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def test_every_word_that_may_be_stored_has_words() -> None:
    tables: list[tuple[dict[Any, Any], Any]] = [
        (wording.STATUSES, EndpointStatus),
        (wording.HEALTHS, EndpointHealth),
        (wording.CIRCUITS, CircuitState),
        (wording.OUTCOMES, CheckOutcome),
        (wording.STEPS, CheckStep),
        (wording.PROBED, StepName),
        (wording.MODES, SystemPromptMode),
        (wording.KINDS, PROMPTS),
    ]
    assert [set(table) for table, _ in tables] == [set(words) for _, words in tables]
    assert wording.advice("") is None
    assert wording.advice("no such code") is None


def test_codes_that_fit_the_column_of_the_health() -> None:
    column = ModelEndpoint._meta.get_field("health_detail")
    assert max(len(str(code)) for code in wording.ADVICE) <= (column.max_length or 0)


@pytest.mark.parametrize("health", list(EndpointHealth))
@pytest.mark.parametrize("status", list(EndpointStatus))
def test_the_state_of_any_endpoint_is_shown(
    staff: Client, endpoint: ModelEndpoint, status: EndpointStatus, health: EndpointHealth
) -> None:
    ModelEndpoint.objects.update(status=status.value, health=health.value)
    seen = text_of(staff, f"{LIST}status/")
    with translation.override("en"):
        assert str(wording.STATUSES[status]) in seen
        assert str(wording.HEALTHS[health]) in seen


def test_an_open_circuit_and_a_hindered_probe_are_told(staff: Client, endpoint: ModelEndpoint) -> None:
    Circuit.objects.create(endpoint=endpoint, state="open", opened_at=timezone.now(), retry_at=timezone.now())
    ModelEndpoint.objects.update(probe={"hindrance": "resolver"}, health="live")
    seen = text_of(staff, f"{LIST}status/")
    assert " open " in seen
    assert "the endpoint is not to blame" in seen


def test_money_is_shown_beside_its_budget(staff: Client, endpoint: ModelEndpoint) -> None:
    ModelEndpoint.objects.update(budget_per_day=Decimal("12.5"))
    EndpointUsage.objects.create(endpoint=endpoint, day=timezone.now().date(), cost=Decimal("3.456"))
    assert "3.46 / 12.50" in text_of(staff, f"{LIST}status/")


def test_the_overview_takes_three_queries_however_many_there_are(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(6):
        made = services.add_endpoint(base_url=URL, model=f"eredua-{number}")
        Circuit.objects.create(endpoint=made)
    with django_assert_num_queries(3):
        rows = overview()
        assert [row.endpoint.candidate.code for row in rows] == [f"eredua-{number}" for number in range(6)]
        assert {row.circuit for row in rows} == {CircuitState.CLOSED}
    assert {(row.tokens_today, row.requests_today, row.traffic) for row in rows} == {(0, 0, None)}


def answer(**fields: Any) -> dict[str, Any]:
    given = {"text": "Bai", "error": "", "first_token_ms": 5, "ms": 9, "tokens": 1, "finish_reason": "stop"}
    return given | fields


DETAILS: dict[CheckStep, list[dict[str, Any]]] = {
    CheckStep.SERVER: [
        {"health": "live", "said": "", "steps": [{"step": "completion", "ok": True, "ms": 5}], "load": None},
        {"health": "down", "said": "connect", "steps": [], "load": {"running": 1, "waiting": 2}},
        {"health": "unknown", "said": "", "hindrance": "resolver"},
    ],
    CheckStep.SMOKE: [
        {"answers": [{"kind": "list", "prompt": "?", "language": "eu", **answer()}]},
        {"answers": [{"kind": "sums", "prompt": "?", "language": "", **answer(error="timeout")}]},
        {"said": "timeout"},
    ],
    CheckStep.TEMPLATE: [
        {
            "context": {"said": said},
            "second_turn": {"understood": True, **answer()},
            "modes": [{"mode": "none", "obeyed": False, **answer()}],
            "recommended": "none",
            "leaks": ["</s>"],
        }
        for said in wording.CONTEXTS
    ],
    CheckStep.IDENTITY: [
        {"answers": [{"language": "eu", "prompt": "?", "named": ["Latxa"], **answer()}]},
        {"answers": [{"language": "eu", "prompt": "?", "named": [], **answer(error="server")}]},
        {"said": "key_unreadable"},
    ],
}


@pytest.mark.parametrize(
    ("step", "detail"), [(step, each) for step, all_ in DETAILS.items() for each in all_]
)
@pytest.mark.parametrize("outcome", list(CheckOutcome))
def test_any_stored_finding_can_be_shown_later(
    endpoint: ModelEndpoint, step: CheckStep, detail: dict[str, Any], outcome: CheckOutcome
) -> None:
    made = EndpointCheck(endpoint=endpoint, step=step.value, outcome=outcome.value, detail=detail)
    assert shown(made)["code"] == outcome.value


@pytest.mark.parametrize("step", list(CheckStep))
def test_pages_of_findings_render_whole(staff: Client, endpoint: ModelEndpoint, step: CheckStep) -> None:
    for detail in DETAILS[step]:
        EndpointCheck.objects.create(endpoint=endpoint, step=step.value, outcome="warned", detail=detail)
        seen = text_of(staff, f"{LIST}{endpoint.pk}/checks/{step.value}/")
        assert "passed with warnings" in seen
        for leak in detail.get("leaks", []):
            assert leak.replace("<", "&lt;").replace(">", "&gt;") in seen


@pytest.mark.parametrize("language", ["eu", "es", "en"])
def test_pages_open_in_every_language(staff: Client, endpoint: ModelEndpoint, language: str) -> None:
    staff.post("/i18n/setlang/", {"language": language})
    for rest in (
        "",
        "new/",
        "status/",
        f"{endpoint.pk}/open/",
        f"{endpoint.pk}/key/",
        f"{endpoint.pk}/change/",
    ):
        assert staff.get(LIST + rest).status_code == 200


def test_the_form_shows_state_to_read_and_limits_to_change(staff: Client, endpoint: ModelEndpoint) -> None:
    page = staff.get(f"{LIST}{endpoint.pk}/change/").content.decode()
    assert set(re.findall(r'name="(status|health|api_key|api_key_encrypted|probe)"', page)) == set()
    for name in ("max_in_flight", "tokens_per_day", "budget_per_day", "total_s", "context_tokens"):
        assert f'name="{name}"' in page


def test_a_status_cannot_be_smuggled_in_through_the_form(staff: Client, endpoint: ModelEndpoint) -> None:
    ModelEndpoint.objects.update(status="retired")
    form = {
        "candidate": str(endpoint.candidate_id),
        "base_url": URL,
        "model": "gpt",
        "provider": "openai",
        "max_in_flight": "3",
        "canary_share": "0.1",
        "connect_s": "5",
        "first_token_s": "60",
        "between_tokens_s": "30",
        "total_s": "300",
        "status": "active",
        "api_key": "sk-besteren-gakoa",
    }
    assert staff.post(f"{LIST}{endpoint.pk}/change/", form).status_code == 302
    before = endpoint.api_key_encrypted
    endpoint.refresh_from_db()
    assert (endpoint.status, endpoint.max_in_flight) == ("retired", 3)
    assert endpoint.api_key_encrypted == before


def test_a_switch_from_the_list_is_in_the_history(staff: Client, endpoint: ModelEndpoint) -> None:
    staff.post(LIST, {"action": "disable", "_selected_action": [str(endpoint.pk)]})
    assert LogEntry.objects.get().change_message == "status: active -> disabled"


def test_an_endpoint_with_answers_of_its_candidate_stays_listed_when_retired(endpoint: ModelEndpoint) -> None:
    services.set_endpoint_status(endpoint_id=endpoint.pk, status=EndpointStatus.RETIRED)
    assert Candidate.objects.get().endpoints.get() == endpoint


@pytest.mark.django_db(transaction=True)
def test_of_two_admins_at_once_the_one_who_retires_has_the_last_word() -> None:
    """Whoever comes first: the row's lock lets nobody act on what was true a moment ago."""
    endpoint = services.add_endpoint(base_url=URL, model="gpt")
    services.set_endpoint_status(endpoint_id=endpoint.pk, status=EndpointStatus.DISABLED)
    begin = threading.Barrier(2, timeout=10)
    outcomes: dict[str, str] = {}

    def switch(status: EndpointStatus) -> None:
        try:
            begin.wait()
            services.set_endpoint_status(endpoint_id=endpoint.pk, status=status)
            outcomes[status] = "done"
        except IllegalTransition as error:
            outcomes[status] = f"refused from {error.old}"
        finally:
            connection.close()

    threads = [
        threading.Thread(target=switch, args=(each,))
        for each in (EndpointStatus.RETIRED, EndpointStatus.ACTIVE)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    endpoint.refresh_from_db()
    assert endpoint.status == "retired"
    assert outcomes[EndpointStatus.RETIRED] == "done"
    assert outcomes[EndpointStatus.ACTIVE] in {"done", "refused from retired"}
