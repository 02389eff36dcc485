"""Keys: replaced once they work, encrypted anew, and nowhere to be seen."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings

from arena.models import User
from inference import crypto, selectors, services
from inference.errors import KeyNotTaken
from inference.fakes import FakeModelServer, Fault
from inference.models import EndpointDraft, ModelEndpoint
from inference.types import Provider
from inference.wizard.types import CheckStep
from tests.inference.background import served
from tests.inference.basque_server import BasqueServer

pytestmark = pytest.mark.django_db
OLD, NEW = "sk-gako-zaharra-1234", "sk-gako-berria-5678"
ADMIN = "/admin/inference/modelendpoint/"


@pytest.fixture
def server() -> Iterator[BasqueServer]:
    server = BasqueServer(api_key=OLD)
    with served(server):
        yield server


def add(server: BasqueServer) -> ModelEndpoint:
    return services.add_endpoint(
        base_url=server.base_url, model="latxa-txiki", api_key=OLD, provider=Provider.VLLM
    )


def key_of(endpoint: ModelEndpoint) -> str:
    return selectors.target_for(endpoint.candidate_id).api_key


def test_a_key_that_the_server_takes_replaces_the_old_one(server: BasqueServer) -> None:
    endpoint = add(server)
    set_before = endpoint.key_set_at
    server.api_key = NEW
    services.rotate_key(endpoint_id=endpoint.pk, api_key=NEW)
    endpoint.refresh_from_db()
    assert key_of(endpoint) == NEW
    assert set_before is not None
    assert endpoint.key_set_at is not None
    assert endpoint.key_set_at > set_before


def test_a_key_that_the_server_refuses_leaves_the_old_one(server: BasqueServer) -> None:
    endpoint = add(server)
    with pytest.raises(KeyNotTaken) as caught:
        services.rotate_key(endpoint_id=endpoint.pk, api_key=NEW)
    assert caught.value.code == "unauthorized"
    assert NEW not in str(caught.value)
    before = endpoint.key_set_at
    endpoint.refresh_from_db()
    assert (key_of(endpoint), endpoint.key_set_at) == (OLD, before)


@pytest.mark.parametrize(("fault", "is_taken"), [(Fault.EMPTY_ANSWER, True), (Fault.BROKEN, False)])
def test_only_an_answer_shows_that_a_key_is_taken(fault: Fault, is_taken: bool) -> None:
    fake = FakeModelServer(fault=fault)
    with served(fake):
        endpoint = services.add_endpoint(base_url=fake.base_url, model="eredua", api_key=OLD)
        if is_taken:
            services.rotate_key(endpoint_id=endpoint.pk, api_key=NEW)
        else:
            with pytest.raises(KeyNotTaken):
                services.rotate_key(endpoint_id=endpoint.pk, api_key=NEW)
    assert key_of(endpoint) == (NEW if is_taken else OLD)


def test_an_empty_key_removes_it_where_the_server_asks_for_none(server: BasqueServer) -> None:
    endpoint = add(server)
    server.api_key = ""
    services.rotate_key(endpoint_id=endpoint.pk, api_key="")
    endpoint.refresh_from_db()
    assert (key_of(endpoint), endpoint.key_set_at) == ("", None)


def test_a_key_that_nobody_can_read_any_more_can_be_replaced(
    server: BasqueServer, settings: Settings
) -> None:
    endpoint = add(server)
    settings.LEHIA_FIELD_KEYS = (Fernet.generate_key().decode(),)
    services.rotate_key(endpoint_id=endpoint.pk, api_key=OLD)
    assert key_of(endpoint) == OLD


@pytest.fixture
def stored(settings: Settings) -> tuple[str, str]:
    """Three keys under the old field key, and a new one put before it."""
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.LEHIA_FIELD_KEYS = (old,)
    for number in range(2):
        services.add_endpoint(base_url=f"http://127.0.0.1:{number + 20000}/v1", model="m", api_key=OLD)
    services.add_endpoint(base_url="http://127.0.0.1:20009/v1", model="m")
    EndpointDraft.objects.create(
        base_url="http://127.0.0.1:20008/v1", provider="vllm", api_key_encrypted=crypto.encrypt(NEW)
    )
    settings.LEHIA_FIELD_KEYS = (new, old)
    return old, new


def rotated(capsys: pytest.CaptureFixture[str], **options: bool) -> dict[str, Any]:
    call_command("rotate_field_keys", **options)
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return {"dry_run": found["dry_run"], **found["endpoints"]}


def test_field_keys_are_rotated_once_and_a_dry_run_only_counts(
    stored: tuple[str, str], settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = {"current": 0, "rewritten": 3, "unreadable": 0}
    assert rotated(capsys, dry_run=True) == {"dry_run": True, **counts}
    assert rotated(capsys) == {"dry_run": False, **counts}
    tokens = list(ModelEndpoint.objects.order_by("pk").values_list("api_key_encrypted", flat=True))
    assert rotated(capsys) == {"dry_run": False, "current": 3, "rewritten": 0, "unreadable": 0}
    assert list(ModelEndpoint.objects.order_by("pk").values_list("api_key_encrypted", flat=True)) == tokens
    settings.LEHIA_FIELD_KEYS = (stored[1],)
    assert {crypto.decrypt(token) for token in tokens} == {"", OLD}
    assert crypto.decrypt(EndpointDraft.objects.get().api_key_encrypted) == NEW


def test_a_key_that_is_lost_is_counted_and_kept(
    stored: tuple[str, str], settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.LEHIA_FIELD_KEYS = (stored[1],)
    with pytest.raises(SystemExit) as caught:
        call_command("rotate_field_keys")
    assert caught.value.code == 1
    shown = capsys.readouterr()
    assert json.loads(shown.out)["endpoints"]["unreadable"] == 3
    assert "LEHIA_FIELD_KEYS" in shown.err
    settings.LEHIA_FIELD_KEYS = stored[::-1]
    assert rotated(capsys)["rewritten"] == 3


def addresses(patterns: list[URLPattern | URLResolver], before: str = "/") -> Iterator[str]:
    """Every address of the site that takes no argument, or one that a row of ours fits."""
    for each in patterns:
        route = before + str(each.pattern).removeprefix("^").removesuffix("$").removesuffix(r"\Z")
        if isinstance(each, URLResolver):
            yield from addresses(each.url_patterns, route)
        else:
            yield route


def filled(route: str, endpoint: ModelEndpoint, draft: EndpointDraft) -> str | None:
    ours = {
        "<uuid:endpoint_id>": str(endpoint.pk),
        "<uuid:draft_id>": str(draft.pk),
        "<path:object_id>": str(endpoint.pk),
        "<slug:step>": "smoke",
    }
    for placeholder, value in ours.items():
        route = route.replace(placeholder, value)
    return None if "<" in route or "(" in route else route


@pytest.mark.parametrize("debug", [False, True])
def test_a_planted_key_appears_nowhere(
    debug: bool,
    client: Client,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.DEBUG = debug
    caplog.set_level(logging.DEBUG)
    client.force_login(User.objects.create_superuser("admin"))
    client.raise_request_exception = False
    seen: list[str] = []

    def note(answer: Any) -> Any:
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        seen.append(f"{body.decode(errors='replace')} {answer.headers} {answer.cookies}")
        return answer

    server = BasqueServer(api_key=OLD, echoes=True)
    with served(server):
        form = {"base_url": server.base_url, "provider": "vllm", "api_key": OLD}
        kept = EndpointDraft.objects.get(
            pk=note(client.post(f"{ADMIN}new/", form)).headers["Location"].split("/")[-2]
        )
        choose = note(client.post(f"{ADMIN}new/", form)).headers["Location"]
        note(client.get(choose))
        note(client.post(choose, {"model": "latxa-txiki"}))
        endpoint = ModelEndpoint.objects.get()
        for step in CheckStep:
            note(client.post(f"{ADMIN}{endpoint.pk}/checks/{step.value}/"))
            note(client.get(f"{ADMIN}{endpoint.pk}/checks/{step.value}/"))
        note(client.post(f"{ADMIN}{endpoint.pk}/key/", {"api_key": NEW}))  # refused
        server.api_key = NEW
        note(client.post(f"{ADMIN}{endpoint.pk}/key/", {"api_key": NEW}))  # taken
        note(client.post(ADMIN, {"action": "probe_now", "_selected_action": [str(endpoint.pk)]}, follow=True))
        for route in addresses(get_resolver().url_patterns):
            path = filled(route, endpoint, kept)
            if path is not None and "logout" not in path and "jsi18n" not in path:
                note(client.get(path))
        call_command("probe_endpoints")
        monkeypatch.setattr("inference.services.checks.look_at_server", _breaks)
        broken = note(client.post(f"{ADMIN}new/", form))
        monkeypatch.setattr("inference.services.keys.seen", _breaks)
        note(client.post(f"{ADMIN}{endpoint.pk}/key/", {"api_key": NEW}))
    assert broken.status_code == 500
    seen += [repr(endpoint), repr(selectors.target_of(endpoint)), capsys.readouterr().out, caplog.text]
    seen += [json.dumps(list(model.objects.values()), default=str) for model in _models()]
    assert len(seen) > 60
    for secret in (OLD, NEW):
        assert [text[max(0, text.index(secret) - 200) :][:400] for text in seen if secret in text] == []


def _breaks(*arguments: object, **options: object) -> None:
    holds = {"arguments": arguments, "headers": f"Bearer {OLD} {NEW}"}  # as a library's frame does
    raise RuntimeError(f"broken in a place that holds {len(holds)} things")


def _models() -> Iterator[Any]:
    """Every table, Django's own history and sessions too."""
    return (model for model in apps.get_models() if model._meta.managed)


def test_a_debug_page_still_says_where_it_broke(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DEBUG = True
    client.raise_request_exception = False
    client.force_login(User.objects.create_superuser("admin"))
    monkeypatch.setattr("inference.services.checks.look_at_server", _breaks)
    form = {"base_url": "http://127.0.0.1:9/v1", "provider": "vllm", "api_key": OLD}
    seen = client.post(f"{ADMIN}new/", form).content.decode()
    assert "broken in a place that holds 2 things" in seen
    assert "inference/services/checks.py" in seen
    assert "http://127.0.0.1:9/v1" in seen
    assert OLD not in seen
