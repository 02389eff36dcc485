"""Candidates and endpoints in the database and in the admin."""

from __future__ import annotations

import copy
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection
from django.test import Client
from pytest_django import Settings

from arena.models import User
from inference import crypto, manifest, selectors, services
from inference.errors import BadManifest, EndpointNotAllowed, KeyUnreadable
from inference.fakes import FakeModelServer, Fault, fake_model_server
from inference.models import Candidate, ModelEndpoint
from inference.types import (
    EndpointHealth,
    EndpointStatus,
    Message,
    Provider,
    Role,
    SystemPromptMode,
    with_system_prompt,
)

URL = "http://127.0.0.1:9/v1"
KEY = "sk-gako-oso-sekretua"
MANIFEST: dict[str, Any] = {
    "schema": "lehia.candidate/1",
    "code": "txiki_110",
    "name": "Txiki 110",
    "revision": "1",
    "description": "",
    "backbone": "",
    "training_data": "",
    "licence": "CC0-1.0",
    "maker": "Lehia",
    "model_folder": "/ereduak/txiki_110",
    "system_prompt_mode": "system",
    "sampling": {"temperature": 0.9, "top_p": 0.95, "max_tokens": 256, "stop": []},
    "created_at": "2026-11-23T10:00:00+00:00",
}


ADAPTER = MANIFEST | {"adapter_of": {"name": "Llama-3.1-8B-Instruct", "rank": 64}}


@pytest.mark.django_db
def test_an_adapter_is_asked_for_by_its_code_on_a_server_that_holds_its_backbone() -> None:
    endpoint = services.register_candidate(manifest=ADAPTER, base_url=URL, provider=Provider.VLLM)
    assert (endpoint.model, endpoint.provider) == ("txiki_110", "vllm")
    assert endpoint.candidate.manifest["adapter_of"]["rank"] == 64
    with pytest.raises(BadManifest, match="only vllm serves beside its backbone"):
        services.register_candidate(manifest=ADAPTER, base_url=URL)


@pytest.mark.parametrize("wrong", [{"name": "x"}, {"name": "", "rank": 1}, {"name": "x", "rank": 0}, "x"])
def test_an_adapter_without_backbone_or_rank_is_refused(wrong: object) -> None:
    with pytest.raises(BadManifest, match="adapter_of"):
        manifest.check(MANIFEST | {"adapter_of": wrong})


@pytest.mark.django_db
def test_a_manifest_registers_a_candidate_once() -> None:
    first = services.register_candidate(manifest=MANIFEST, base_url=URL)
    second = services.register_candidate(manifest=MANIFEST, base_url=URL)
    assert first.pk == second.pk
    candidate = Candidate.objects.get()
    assert (candidate.code, candidate.max_tokens, candidate.temperature) == ("txiki_110", 256, 0.9)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({}, "CC0-1.0"),
        ({"licence": "Llama 3.1 Community License"}, "llama3.1"),
        ({"licence": "MPL-2.0"}, "unknown"),
        ({"licence": ""}, "unknown"),
        ({"outputs_licence": "CC-BY-4.0"}, "CC-BY-4.0"),
    ],
)
def test_a_manifest_gives_the_licence_of_the_answers_or_it_follows(said: dict[str, str], kept: str) -> None:
    candidate = services.register_candidate(manifest=MANIFEST | said, base_url=URL).candidate
    assert candidate.outputs_licence == kept
    assert candidate.is_published_under_cc0 == (kept == "CC0-1.0")
    if not said.get("outputs_licence"):  # candidates of before get theirs the same way
        Candidate.objects.update(outputs_licence="unknown")
        with connection.cursor() as cursor:
            cursor.execute(import_module("inference.migrations.0005_licences_of_answers").FOLLOWS)
        candidate.refresh_from_db()
        assert candidate.outputs_licence == kept


@pytest.mark.django_db
def test_a_licence_that_an_admin_set_outlives_a_manifest_that_gives_none() -> None:
    services.register_candidate(manifest=MANIFEST, base_url=URL)
    Candidate.objects.update(outputs_licence="CC-BY-4.0")
    assert (
        services.register_candidate(manifest=MANIFEST, base_url=URL).candidate.outputs_licence == "CC-BY-4.0"
    )
    told = MANIFEST | {"outputs_licence": "other"}
    assert services.register_candidate(manifest=told, base_url=URL).candidate.outputs_licence == "other"


def test_a_licence_that_nobody_knows_is_refused_in_a_manifest() -> None:
    with pytest.raises(BadManifest, match="outputs_licence"):
        manifest.check(MANIFEST | {"outputs_licence": "proprietary"})


@pytest.mark.django_db
def test_a_new_address_retires_the_old_endpoint_and_keeps_it() -> None:
    old = services.register_candidate(manifest=MANIFEST, base_url=URL)
    new = services.register_candidate(manifest=MANIFEST, base_url="http://127.0.0.1:10/v1")
    old.refresh_from_db()
    assert (old.status, new.status) == ("retired", "active")
    again = services.register_candidate(manifest=MANIFEST, base_url=URL)
    assert (again.pk, again.status) == (old.pk, "active")


@pytest.mark.django_db
def test_a_candidate_that_was_switched_off_stays_off_at_its_new_address() -> None:
    old = services.register_candidate(manifest=MANIFEST, base_url=URL)
    services.set_endpoint_status(endpoint_id=old.pk, status=EndpointStatus.DISABLED)
    new = services.register_candidate(manifest=MANIFEST, base_url="http://127.0.0.1:10/v1")
    old.refresh_from_db()
    assert (old.status, new.status) == ("retired", "disabled")
    assert services.register_candidate(manifest=MANIFEST, base_url=URL).status == "disabled"


@pytest.mark.django_db
def test_candidates_served_outside_a_folder_are_counted_once_none_of_the_folder_is_active(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "models"
    ours = services.add_endpoint(base_url=URL, model=f"{folder}/txiki_110")
    services.add_endpoint(base_url=URL, model="latxa-8b")
    services.add_endpoint(base_url=URL, model="latxa-70b")
    services.add_endpoint(base_url="http://127.0.0.1:10/v1", model="latxa-70b")
    assert selectors.candidates_served_outside(str(folder)) is None
    services.set_endpoint_status(endpoint_id=ours.pk, status=EndpointStatus.DISABLED)
    assert selectors.candidates_served_outside(str(folder)) == 2


@pytest.mark.parametrize(
    ("place", "value"),
    [("code", "no spaces please"), ("system_prompt_mode", "shout"), ("schema", "other"), ("extra", 1)],
)
def test_a_wrong_manifest_says_where(place: str, value: object) -> None:
    wrong = copy.deepcopy(MANIFEST) | {place: value}
    with pytest.raises(BadManifest, match=place):
        manifest.check(wrong)


def test_a_manifest_file_is_located(tmp_path: Path) -> None:
    path = tmp_path / "candidate.json"
    with pytest.raises(BadManifest, match=r"candidate\.json"):
        manifest.read(path)
    path.write_text('{"schema":\n ,}')
    with pytest.raises(BadManifest, match="line 2"):
        manifest.read(path)
    path.write_text(json.dumps(MANIFEST | {"model_folder": "eredua"}))
    assert manifest.read(path)["model_folder"] == str(tmp_path / "eredua")


@pytest.mark.django_db
def test_a_strange_address_is_refused_at_once() -> None:
    with pytest.raises(EndpointNotAllowed):
        services.add_endpoint(base_url="http://10.0.0.1/v1", model="x")
    assert not Candidate.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("model", "code", "name"),
    [
        ("org/Model-8B", "model-8b", "Model-8B"),
        ("/ereduak/" + "x" * 300, "x" * 80, "x" * 120),
        ("\u6a21\u578b", "model-c98e118e0a43", "\u6a21\u578b"),
    ],
)
def test_any_model_name_makes_a_candidate(model: str, code: str, name: str) -> None:
    endpoint = services.add_endpoint(base_url=URL, model=model)
    assert (endpoint.candidate.code, endpoint.candidate.name, endpoint.model) == (code, name, model)


@pytest.mark.django_db
def test_a_key_is_stored_encrypted_and_only_the_target_has_it() -> None:
    endpoint = services.add_endpoint(base_url=URL, model="gpt", api_key=KEY)
    assert KEY not in json.dumps(list(ModelEndpoint.objects.values()), default=str)
    target = selectors.target_for(endpoint.candidate_id)
    assert target.api_key == KEY
    assert KEY not in repr(target)


def test_an_older_key_still_reads_and_a_lost_one_says_so(settings: Settings) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.LEHIA_FIELD_KEYS = (old,)
    token = crypto.encrypt(KEY)
    settings.LEHIA_FIELD_KEYS = (new, old)
    assert crypto.decrypt(token) == KEY
    settings.LEHIA_FIELD_KEYS = (new,)
    with pytest.raises(KeyUnreadable):
        crypto.decrypt(token)
    assert crypto.encrypt("") == crypto.decrypt("") == ""


@pytest.mark.django_db
def test_what_is_disabled_or_down_is_not_drawn() -> None:
    endpoint = services.add_endpoint(base_url=URL, model="gpt")
    assert [each.code for each in selectors.servable_candidates()] == ["gpt"]
    services.set_endpoint_status(endpoint_id=endpoint.pk, status=EndpointStatus.DISABLED)
    assert selectors.servable_candidates() == []
    services.set_endpoint_status(endpoint_id=endpoint.pk, status=EndpointStatus.ACTIVE)
    ModelEndpoint.objects.update(health=EndpointHealth.DOWN.value)
    assert selectors.servable_candidates() == []


@pytest.mark.django_db
def test_a_live_endpoint_is_preferred() -> None:
    services.add_endpoint(base_url=URL, model="gpt")
    second = services.add_endpoint(base_url="http://127.0.0.1:10/v1", model="gpt")
    ModelEndpoint.objects.filter(pk=second.pk).update(health=EndpointHealth.DOWN.value)
    assert selectors.target_for(second.candidate_id).base_url == URL


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("fault", "health", "detail"),
    [
        (Fault.NONE, "live", ""),
        (Fault.RATE_LIMITED, "degraded", "rate_limited"),
        (Fault.BROKEN, "down", "server"),
        (Fault.UNAUTHORIZED, "down", "unauthorized"),
    ],
)
async def test_a_probe_stores_what_it_saw(fault: Fault, health: str, detail: str) -> None:
    async with fake_model_server(FakeModelServer(fault=fault)) as server:

        def probe() -> ModelEndpoint:
            try:
                services.add_endpoint(base_url=server.base_url, model="gpt")
                services.probe_endpoints()
                return ModelEndpoint.objects.get()
            finally:
                connection.close()  # this thread's own, which would keep the test database from being dropped

        seen = await sync_to_async(probe, thread_sensitive=True)()
    assert (seen.health, seen.health_detail) == (health, detail)
    assert seen.health_checked_at is not None
    assert (seen.probe_first_token_ms is None) == (fault is not Fault.NONE)


FORM = {
    "base_url": URL,
    "model": "gpt",
    "provider": "openai",
    "max_in_flight": "8",
    "canary_share": "0.1",
    "connect_s": "5",
    "first_token_s": "60",
    "between_tokens_s": "30",
    "total_s": "300",
}


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("admin", password="pasahitz-luzea"))
    return client


@pytest.mark.django_db
def test_an_endpoint_added_in_the_admin_is_a_shadow_until_its_checks_and_hides_its_key(
    staff: Client,
) -> None:
    candidate = Candidate.objects.create(code="gpt", name="GPT")
    form = FORM | {"candidate": str(candidate.pk), "status": "active"}
    answer = staff.post("/admin/inference/modelendpoint/add/", form | {"api_key": KEY})
    assert answer.status_code == 302
    added = ModelEndpoint.objects.get()
    assert added.status == "shadow"
    staff.post("/admin/inference/modelendpoint/", {"action": "activate", "_selected_action": [str(added.pk)]})
    added.refresh_from_db()
    assert added.status == "shadow"
    services.set_endpoint_status(endpoint_id=added.pk, status=EndpointStatus.ACTIVE)
    assert selectors.target_for(candidate.pk).api_key == KEY
    page = f"/admin/inference/modelendpoint/{added.pk}/change/"
    assert KEY not in staff.get(page).content.decode()
    staff.post(page, form | {"api_key": "", "model": "gpt-2"})
    assert selectors.target_for(candidate.pk).api_key == KEY
    elsewhere = staff.post(page, form | {"base_url": "http://127.0.0.1:10/v1"}, follow=True)
    assert selectors.target_for(candidate.pk).api_key == ""
    assert any("warning" in each.tags for each in elsewhere.context["messages"])


@pytest.mark.django_db
def test_the_admin_refuses_a_strange_address_with_a_reason(staff: Client) -> None:
    candidate = Candidate.objects.create(code="gpt", name="GPT")
    form = FORM | {"candidate": str(candidate.pk), "base_url": "http://10.0.0.1/"}
    answer = staff.post("/admin/inference/modelendpoint/add/", form | {"api_key": ""})
    assert answer.status_code == 200
    assert "LEHIA_MODEL_HOSTS" in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(("action", "status"), [("disable", "disabled"), ("activate", "active")])
def test_the_admin_switches_endpoints(staff: Client, action: str, status: str) -> None:
    endpoint = services.add_endpoint(base_url=URL, model="gpt")
    staff.post("/admin/inference/modelendpoint/", {"action": action, "_selected_action": [str(endpoint.pk)]})
    endpoint.refresh_from_db()
    assert endpoint.status == status


@pytest.mark.django_db
def test_the_admin_probes_now(staff: Client) -> None:
    endpoint = services.add_endpoint(base_url=URL, model="gpt")
    staff.post(
        "/admin/inference/modelendpoint/", {"action": "probe_now", "_selected_action": [str(endpoint.pk)]}
    )
    endpoint.refresh_from_db()
    assert (endpoint.health, endpoint.health_detail) == ("down", "connect")


@pytest.mark.django_db
def test_the_command_adds_by_address_and_by_manifest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("add_endpoint", url=URL, model="gpt", name="GPT 5")
    assert json.loads(capsys.readouterr().out)["candidate"] == "gpt-5"
    path = tmp_path / "candidate.json"
    path.write_text(json.dumps(MANIFEST))
    call_command("add_endpoint", manifest=path, url=URL)
    assert json.loads(capsys.readouterr().out)["candidate"] == "txiki_110"


@pytest.mark.django_db
@pytest.mark.parametrize("options", [{}, {"url": URL}, {"url": "http://10.0.0.1/", "model": "x"}])
def test_the_command_refuses_bad_input_with_2(
    options: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        call_command("add_endpoint", **options)
    assert caught.value.code == 2
    assert capsys.readouterr().err


@pytest.mark.django_db
def test_the_probe_command_prints_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    services.add_endpoint(base_url=URL, model="gpt")
    call_command("probe_endpoints")
    assert json.loads(capsys.readouterr().out)["health"] == "down"


def test_the_system_prompt_goes_in_as_the_candidate_understands_it() -> None:
    chat = (Message(Role.USER, "Kaixo"),)
    roles = {
        mode: [message.role.value for message in with_system_prompt(chat, "Agindua", mode)]
        for mode in SystemPromptMode
    }
    assert roles == {
        SystemPromptMode.SYSTEM: ["system", "user"],
        SystemPromptMode.USER_TURN: ["user", "assistant", "user"],
        SystemPromptMode.NONE: ["user"],
    }
    assert with_system_prompt(chat, "", SystemPromptMode.SYSTEM) == chat


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("uniform", "health", "first"),
    [
        (0.29, "unknown", "canary"),
        (0.31, "unknown", "active"),
        (0.29, "down", "active"),
        (1.0, "live", "active"),
    ],
)
def test_a_canary_beside_an_active_endpoint_takes_its_share_of_the_battles(
    uniform: float, health: str, first: str
) -> None:
    active = services.add_endpoint(base_url="http://127.0.0.1:9/v1", model="eredua")
    canary = services.add_endpoint(base_url="http://127.0.0.1:10/v1", model="eredua")
    ModelEndpoint.objects.filter(pk=canary.pk).update(status="canary", canary_share=0.3, health=health)
    chosen = {"canary": canary, "active": active}[first]
    assert selectors.target_for(active.candidate_id, uniform=uniform).endpoint_id == chosen.pk
