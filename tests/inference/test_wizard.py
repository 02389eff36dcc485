"""Adding an endpoint in the admin, page by page, as a browser without scripts does it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from arena.models import User
from inference import selectors, services
from inference.admin.wording import ADVICE
from inference.errors import StreamErrorCode
from inference.health.types import Detail, Hindrance
from inference.models import Candidate, EndpointCheck, EndpointDraft, EndpointUsage, Generation, ModelEndpoint
from inference.types import EndpointStatus
from inference.wizard.types import CheckOutcome, CheckStep
from tests.inference.background import served
from tests.inference.basque_server import BasqueServer

pytestmark = pytest.mark.django_db
NEW = "/admin/inference/modelendpoint/new/"
LIST = "/admin/inference/modelendpoint/"
STATUS = "/admin/inference/modelendpoint/status/"
KEY = "sk-gako-oso-sekretua"


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("admin"))
    client.post("/i18n/setlang/", {"language": "en"})
    return client


@pytest.fixture
def server() -> Iterator[BasqueServer]:
    server = BasqueServer(api_key=KEY)
    with served(server):
        yield server


def text_of(staff: Client, path: str) -> str:
    answer = staff.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def page(endpoint: ModelEndpoint, rest: str) -> str:
    return f"{LIST}{endpoint.pk}/{rest}"


def begin(staff: Client, server: BasqueServer) -> str:
    """The address form, filled in. Returns the next page."""
    form = {"base_url": server.base_url, "provider": "vllm", "api_key": server.api_key}
    answer = staff.post(NEW, form)
    assert answer.status_code == 302
    return answer.headers["Location"]


def add(staff: Client, server: BasqueServer) -> ModelEndpoint:
    staff.post(begin(staff, server), {"model": "latxa-txiki", "name": "Latxa Txikia"})
    return ModelEndpoint.objects.get()


def check(staff: Client, endpoint: ModelEndpoint, step: CheckStep) -> str:
    """Press the button of a step, and read the page that it leads to."""
    answer = staff.post(page(endpoint, f"checks/{step.value}/"))
    assert answer.status_code == 302
    return text_of(staff, answer.headers["Location"])


def test_from_the_list_to_an_active_endpoint(staff: Client, server: BasqueServer) -> None:
    assert f'href="{NEW}"' in text_of(staff, LIST)
    choose = begin(staff, server)
    seen = text_of(staff, choose)
    assert '<option value="latxa-txiki" selected' in seen
    assert "Models listed: 2." in seen
    answer = staff.post(choose, {"model": "latxa-txiki", "name": "Latxa Txikia"})
    endpoint = ModelEndpoint.objects.get()
    assert answer.headers["Location"] == page(endpoint, "checks/server/")
    assert (endpoint.status, endpoint.context_tokens, endpoint.candidate.name) == (
        "shadow",
        4096,
        "Latxa Txikia",
    )
    for step in CheckStep:
        assert 'class="state passed"' in check(staff, endpoint, step)
    final = page(endpoint, "open/")
    assert re.search(r'value="system"\s+selected', text_of(staff, final))
    answer = staff.post(final, {"status": "active", "canary_share": "0.1", "system_prompt_mode": "system"})
    assert answer.headers["Location"] == STATUS
    assert [each.code for each in selectors.servable_candidates()] == ["latxa-txikia"]
    assert selectors.target_for(endpoint.candidate_id).api_key == KEY


def test_answers_of_the_smoke_prompts_are_shown_and_escaped(staff: Client, server: BasqueServer) -> None:
    endpoint = add(staff, server)
    server.text = "<script>alert(1)</script> Gaur eguraldi ederra dago eta mendira joango gara."
    seen = check(staff, endpoint, CheckStep.SMOKE)
    assert "&lt;script&gt;alert(1)&lt;/script&gt; Gaur eguraldi ederra dago" in seen
    assert "<script>alert" not in seen


def test_an_interrupted_way_goes_on_where_it_was(staff: Client, server: BasqueServer) -> None:
    choose = begin(staff, server)
    assert choose in text_of(staff, NEW)
    staff.post(choose, {"model": "latxa-txiki"})
    endpoint = ModelEndpoint.objects.get()
    check(staff, endpoint, CheckStep.SMOKE)
    assert page(endpoint, "open/") in text_of(staff, NEW)
    assert "passed" in text_of(staff, page(endpoint, "open/"))
    assert staff.get(choose).status_code == 404


def test_nothing_serves_before_its_checks_and_the_page_says_which(
    staff: Client, server: BasqueServer
) -> None:
    endpoint = add(staff, server)
    for step in (CheckStep.SERVER, CheckStep.SMOKE, CheckStep.TEMPLATE):
        check(staff, endpoint, step)
    server.name = "ChatGPT naiz."
    assert "ChatGPT" in check(staff, endpoint, CheckStep.IDENTITY)
    form = {"status": "canary", "canary_share": "0.2", "system_prompt_mode": "system"}
    answer = staff.post(page(endpoint, "open/"), form)
    assert answer.status_code == 200
    assert "these checks must pass, or their warnings be read: Who are you?." in answer.content.decode()
    staff.post(page(endpoint, "open/"), form | {"has_read_warnings": "on"})
    endpoint.refresh_from_db()
    assert (endpoint.status, endpoint.canary_share) == ("canary", 0.2)


def test_a_mode_that_the_checks_recommend_is_preselected_for_a_newcomer_only(
    staff: Client, server: BasqueServer
) -> None:
    server.roles = ("user", "assistant")
    endpoint = add(staff, server)
    check(staff, endpoint, CheckStep.TEMPLATE)
    selected = re.compile(r'value="user_turn"\s+selected')
    assert selected.search(text_of(staff, page(endpoint, "open/")))
    ModelEndpoint.objects.create(
        candidate=endpoint.candidate, base_url="http://127.0.0.1:9/v1", model="m", status="active"
    )
    assert not selected.search(text_of(staff, page(endpoint, "open/")))


def test_only_statuses_that_may_follow_are_offered(staff: Client) -> None:
    endpoint = services.add_endpoint(base_url="http://127.0.0.1:9/v1", model="gpt")
    ModelEndpoint.objects.update(status="retired")
    seen = text_of(staff, page(endpoint, "open/"))
    assert set(re.findall(r'name="status" value="(\w+)"', seen)) == {"retired", "shadow"}
    answer = staff.post(
        page(endpoint, "open/"), {"status": "active", "canary_share": "0.1", "system_prompt_mode": "system"}
    )
    assert answer.status_code == 200
    assert ModelEndpoint.objects.get().status == "retired"


def test_a_retired_endpoint_and_what_was_found_of_it_stay(staff: Client, server: BasqueServer) -> None:
    endpoint = add(staff, server)
    check(staff, endpoint, CheckStep.SMOKE)
    staff.post(LIST, {"action": "retire", "_selected_action": [str(endpoint.pk)]})
    endpoint.refresh_from_db()
    assert (endpoint.status, endpoint.checks.count()) == ("retired", 1)
    answer = staff.post(LIST, {"action": "activate", "_selected_action": [str(endpoint.pk)]}, follow=True)
    assert "what is retired cannot become active" in answer.content.decode()


def test_the_list_activates_no_shadow_that_was_not_checked(staff: Client, server: BasqueServer) -> None:
    endpoint = add(staff, server)
    answer = staff.post(LIST, {"action": "activate", "_selected_action": [str(endpoint.pk)]}, follow=True)
    assert "activated at the end of its checks" in answer.content.decode()
    endpoint.refresh_from_db()
    assert endpoint.status == "shadow"


def test_a_dead_server_says_what_to_do_and_can_be_looked_at_again(staff: Client) -> None:
    server = BasqueServer()
    with served(server):
        pass
    choose = begin(staff, server)
    seen = text_of(staff, choose)
    assert "No connection to the server." in seen
    assert "Check that it runs" in seen
    with served(server):  # it comes back at its port
        assert staff.post(choose, {"again": "1"}).headers["Location"] == choose
        assert "Models listed: 2." in text_of(staff, choose)


def test_what_is_filled_in_wrong_is_said_at_its_field(staff: Client, server: BasqueServer) -> None:
    answer = staff.post(NEW, {"base_url": "http://10.0.0.1/v1", "provider": "vllm", "api_key": KEY})
    assert "LEHIA_MODEL_HOSTS" in answer.content.decode()
    assert KEY not in answer.content.decode()
    choose = begin(staff, server)
    assert "Choose a model, or write its name." in staff.post(choose, {"model": ""}).content.decode()
    staff.post(choose, {"model": "latxa-txiki"})
    again = begin(staff, server)
    taken = staff.post(again, {"model": "latxa-txiki"}).content.decode()
    assert "There is a candidate of that name" in taken
    same = staff.post(again, {"model": "latxa-txiki", "candidate": str(Candidate.objects.get().pk)})
    assert "has this model at this address already" in same.content.decode()


def test_a_model_that_is_not_listed_can_be_named(staff: Client, server: BasqueServer) -> None:
    staff.post(begin(staff, server), {"model": "", "other_model": "moldatua", "context_tokens": "512"})
    endpoint = ModelEndpoint.objects.get()
    assert (endpoint.model, endpoint.context_tokens) == ("moldatua", 512)
    assert "does not know this model" in check(staff, endpoint, CheckStep.SERVER)


def test_each_deed_is_in_the_history_without_the_key(staff: Client, server: BasqueServer) -> None:
    endpoint = add(staff, server)
    check(staff, endpoint, CheckStep.IDENTITY)
    form = {"status": "disabled", "canary_share": "0.1", "system_prompt_mode": "none"}
    staff.post(page(endpoint, "open/"), form)
    staff.post(page(endpoint, "key/"), {"api_key": KEY})
    said = list(LogEntry.objects.order_by("pk").values_list("change_message", flat=True))
    assert said == [
        "added by the guided checks",
        "check identity: passed",
        "status: shadow -> disabled; system prompt: none",
        "key replaced",
    ]
    assert KEY not in text_of(staff, page(endpoint, "history/"))


@pytest.mark.parametrize("rest", ["new/", "status/", "{pk}/open/", "{pk}/key/", "{pk}/checks/smoke/"])
def test_only_staff_with_the_permission_gets_in(client: Client, rest: str) -> None:
    endpoint = services.add_endpoint(base_url="http://127.0.0.1:9/v1", model="gpt")
    path = LIST + rest.format(pk=endpoint.pk)
    assert client.get(path).status_code == 302
    person = User.objects.create_user("jakin-mina", is_staff=True)
    client.force_login(person)
    assert client.get(path).status_code == 403
    assert client.post(path).status_code == 403
    person.user_permissions.set(Permission.objects.filter(codename__endswith="_modelendpoint"))
    assert client.get(path).status_code == 200


def test_a_form_needs_its_token(server: BasqueServer) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.create_superuser("admin"))
    form = {"base_url": server.base_url, "provider": "vllm"}
    assert strict.post(NEW, form).status_code == 403
    assert not EndpointDraft.objects.exists()


def test_no_page_has_inline_code(staff: Client, server: BasqueServer) -> None:
    choose = begin(staff, server)
    pages = [text_of(staff, NEW), text_of(staff, choose)]
    staff.post(choose, {"model": "latxa-txiki"})
    endpoint = ModelEndpoint.objects.get()
    pages += [check(staff, endpoint, step) for step in CheckStep]
    pages += [text_of(staff, page(endpoint, rest)) for rest in ("open/", "key/")]
    pages.append(text_of(staff, STATUS))
    for text in pages:
        main = text[text.index('id="content"') :]
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", main)


def test_an_unknown_step_leads_to_the_first(staff: Client) -> None:
    endpoint = services.add_endpoint(base_url="http://127.0.0.1:9/v1", model="gpt")
    answer = staff.get(page(endpoint, "checks/magic/"))
    assert answer.headers["Location"] == page(endpoint, "checks/server/")


def test_the_state_of_all_endpoints_is_one_table(
    staff: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    assert "No endpoints yet." in text_of(staff, STATUS)
    endpoint = services.add_endpoint(base_url="http://127.0.0.1:9/v1", model="gpt", name="GPT Bat")
    ModelEndpoint.objects.update(
        health="degraded", health_detail="busy", running=7, waiting=31, tokens_per_day=50_000
    )
    for outcome in ("done", "done", "server"):
        Generation.objects.create(
            endpoint=endpoint,
            request_id="r",
            outcome=outcome,
            duration_ms=1_200,
            first_token_ms=200,
            completion_tokens=50,
        )
    day = Generation.objects.latest("ended_at").ended_at.date()
    EndpointUsage.objects.create(endpoint=endpoint, day=day, prompt_tokens=1_000, completion_tokens=234)
    with django_assert_num_queries(6):  # session, user, reports that wait, and three of the page
        seen = " ".join(re.sub(r"<[^>]+>", " ", text_of(staff, STATUS)).split())
    for figure in ("GPT Bat", "degraded", "200 / 200", "33.3 (server 33.3)", "50.0", "7 / 31", "/ 50,000"):
        assert figure in seen
    assert "1,234" in seen
    assert "More requests wait than we send at once. Add a replica" in seen


def test_every_code_has_words_and_stands_in_the_docs(repository: Path) -> None:
    codes = {str(code) for code in (*StreamErrorCode, *Detail, *Hindrance, "status")}
    assert {str(code) for code in ADVICE} == codes
    documented = set(
        re.findall(r"^\| `(\w+)` \|", (repository / "docs" / "admin.md").read_text(), re.MULTILINE)
    )
    assert codes <= documented


def test_a_finding_that_could_not_be_made_is_shown(staff: Client) -> None:
    endpoint = services.add_endpoint(base_url="http://127.0.0.1:9/v1", model="gpt")
    EndpointCheck.objects.create(
        endpoint=endpoint,
        step=CheckStep.SMOKE.value,
        outcome=CheckOutcome.UNCHECKED.value,
        detail={"said": "resolver"},
    )
    seen = text_of(staff, page(endpoint, "checks/smoke/"))
    assert "could not be checked" in seen
    assert "the endpoint is not to blame" in seen
    assert EndpointStatus(endpoint.status) is EndpointStatus.ACTIVE
