"""The guided checks: what they ask, what they make of the answers, and what they let through."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference import services
from inference.errors import (
    CandidateExists,
    ChecksMissing,
    EndpointExists,
    EndpointNotAllowed,
    HostUnknown,
    IllegalTransition,
)
from inference.fakes import FakeModelServer, Fault
from inference.models import Candidate, EndpointCheck, EndpointDraft, ModelEndpoint
from inference.services import checks
from inference.types import EndpointStatus, Provider, SystemPromptMode
from inference.wizard import smoke, template
from inference.wizard.transitions import TRANSITIONS, may_become
from inference.wizard.types import CheckOutcome, CheckStep
from tests.inference.background import served
from tests.inference.basque_server import SPANISH, BasqueServer

KEY = "sk-gako-oso-sekretua"


def add(server: BasqueServer, **fields: Any) -> ModelEndpoint:
    draft = services.start_draft(base_url=server.base_url, provider=Provider.VLLM, api_key=server.api_key)
    given = {"model": "latxa-txiki", "candidate": None, "context_tokens": 4096} | fields
    return services.adopt_draft(draft_id=draft.pk, **given)


def check(step: CheckStep, **fields: Any) -> EndpointCheck:
    """What a step finds of such a server."""
    server = BasqueServer(**fields)
    with served(server):
        return services.run_check(endpoint_id=add(server).pk, step=step)


@pytest.mark.django_db
def test_a_good_model_passes_every_check_and_they_are_kept() -> None:
    server = BasqueServer(api_key=KEY)
    with served(server):
        endpoint = add(server)
        outcomes = [services.run_check(endpoint_id=endpoint.pk, step=step).outcome for step in CheckStep]
    assert outcomes == ["passed"] * 4
    assert services.missing_checks(endpoint, has_read_warnings=False) == []
    assert list(services.last_checks(endpoint)) == sorted(CheckStep)


@pytest.mark.django_db
def test_a_server_that_is_not_there_fails_and_says_how() -> None:
    server = BasqueServer()
    with served(server):
        endpoint = add(server)
    found = {step: services.run_check(endpoint_id=endpoint.pk, step=step) for step in CheckStep}
    assert {each.outcome for each in found.values()} == {"failed"}
    assert found[CheckStep.SERVER].detail["said"] == "connect"
    assert {row["error"] for row in found[CheckStep.SMOKE].detail["answers"]} == {"connect"}


@pytest.mark.django_db
def test_smoke_prompts_are_answered_timed_and_their_language_told() -> None:
    found = check(CheckStep.SMOKE)
    rows = found.detail["answers"]
    assert [row["kind"] for row in rows] == list(smoke.PROMPTS)
    assert {row["language"] for row in rows} == {"eu"}
    assert all(row["first_token_ms"] is not None and row["text"] for row in rows)
    assert found.outcome == "passed"


@pytest.mark.django_db
def test_a_model_that_speaks_spanish_is_warned_of() -> None:
    found = check(CheckStep.SMOKE, text=SPANISH)
    assert found.outcome == "warned"
    assert {row["language"] for row in found.detail["answers"]} == {"es"}


@pytest.mark.parametrize("text", ["Bai.", "12", "", "\u6a21\u578b"])
@pytest.mark.django_db
def test_too_little_text_has_no_language(text: str) -> None:
    assert {row["language"] for row in check(CheckStep.SMOKE, text=text).detail["answers"]} == {""}


@pytest.mark.django_db
def test_a_good_template_is_found_good() -> None:
    found = check(CheckStep.TEMPLATE).detail
    assert found["context"]["said"] == "accepted"
    assert found["context"]["remembered"] is True
    assert found["context"]["counted_tokens"] == pytest.approx(found["context"]["sent_tokens"], rel=0.1)
    assert found["second_turn"]["understood"] is True
    assert (found["recommended"], found["leaks"]) == ("system", [])


@pytest.mark.django_db
def test_a_context_that_is_shorter_than_stated_fails_and_one_that_is_cut_warns() -> None:
    server = BasqueServer(context_tokens=2048)
    with served(server):
        refused = services.run_check(endpoint_id=add(server).pk, step=CheckStep.TEMPLATE)
        server.cuts = True
        cut = services.run_check(endpoint_id=refused.endpoint_id, step=CheckStep.TEMPLATE)
    assert (refused.outcome, refused.detail["context"]["said"]) == ("failed", "refused")
    assert refused.detail["context"]["error"] == "bad_request"
    assert (cut.outcome, cut.detail["context"]["said"]) == ("warned", "cut")


@pytest.mark.django_db
@pytest.mark.parametrize(("context", "said"), [(None, "not_stated"), (60, "too_short")])
def test_nothing_long_is_sent_without_a_usable_context(context: int | None, said: str) -> None:
    server = BasqueServer()
    with served(server):
        found = services.run_check(
            endpoint_id=add(server, context_tokens=context).pk, step=CheckStep.TEMPLATE
        )
    assert found.detail["context"]["said"] == said
    assert max(len(json.dumps(body)) for body in server.bodies) < 4_000


@pytest.mark.django_db
def test_a_template_without_a_system_role_gets_a_first_user_turn() -> None:
    found = check(CheckStep.TEMPLATE, roles=("user", "assistant"))
    assert found.outcome == "passed"
    assert found.detail["recommended"] == "user_turn"
    assert [bool(row["error"]) for row in found.detail["modes"]] == [True, False, False]


@pytest.mark.django_db
def test_a_template_that_drops_earlier_turns_is_warned_of() -> None:
    found = check(CheckStep.TEMPLATE, forgets=True)
    assert found.outcome == "warned"
    assert found.detail["second_turn"]["understood"] is False


@pytest.mark.django_db
@pytest.mark.parametrize("tail", ["<|eot_id|>", "</s>", "\n### Instruction:", "\n###", "<|im_end|>"])
def test_a_stop_token_that_leaks_is_shown(tail: str) -> None:
    found = check(CheckStep.TEMPLATE, tail=tail)
    assert found.outcome == "warned"
    assert found.detail["leaks"] == [tail.strip()]


@pytest.mark.parametrize(
    "text", ["### Osagaiak\n\nIrina", "## Lehen zatia", "a < b", "<s", "Erantzuna: bai", "| taula |"]
)
def test_headings_and_signs_of_an_answer_are_no_leak(text: str) -> None:
    assert template.leaks([text]) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("ChatGPT naiz.", ["ChatGPT"]),
        ("Nire izena latxa-txiki da.", ["latxa", "latxa-txiki"]),
        ("Laguntzaile bat naiz.", []),
    ],
)
def test_a_model_that_names_itself_is_warned_of(name: str, named: list[str]) -> None:
    found = check(CheckStep.IDENTITY, name=name)
    assert found.outcome == ("warned" if named else "passed")
    assert [row["named"] for row in found.detail["answers"]] == [named] * 3


@pytest.mark.django_db
def test_the_maker_and_the_backbone_of_the_candidate_are_looked_for() -> None:
    server = BasqueServer(name="Elhuyarrek egin nau, Bertsolari-7B oinarri hartuta. Made by Elhuyar.")
    with served(server):
        endpoint = add(server)
        Candidate.objects.update(maker="Elhuyar", backbone="Bertsolari-7B")
        found = services.run_check(endpoint_id=endpoint.pk, step=CheckStep.IDENTITY)
    assert found.detail["answers"][0]["named"] == ["Bertsolari-7B", "Elhuyar"]


@pytest.mark.django_db
def test_a_step_that_takes_too_long_ends_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "STEP_S", 0.0)
    server = FakeModelServer(fault=Fault.HANGS_SILENT)
    with served(server):
        endpoint = services.add_endpoint(base_url=server.base_url, model="eredua")
        found = services.run_check(endpoint_id=endpoint.pk, step=CheckStep.SMOKE)
    assert (found.outcome, found.detail) == ("failed", {"said": "timeout"})


@pytest.mark.django_db
def test_the_sites_own_trouble_is_not_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = services.add_endpoint(base_url="http://127.0.0.1:9/v1", model="gpt")

    def fails(_: object) -> None:
        raise HostUnknown("no")

    monkeypatch.setattr(checks, "target_of", fails)
    found = services.run_check(endpoint_id=endpoint.pk, step=CheckStep.IDENTITY)
    assert (found.outcome, found.detail) == ("unchecked", {"said": "resolver"})


@pytest.mark.django_db
@pytest.mark.parametrize("step", list(CheckStep))
def test_a_key_that_the_server_echoes_is_not_stored(step: CheckStep) -> None:
    server = BasqueServer(api_key=KEY, echoes=True)
    with served(server):
        endpoint = add(server)
        found = services.run_check(endpoint_id=endpoint.pk, step=step)
    assert KEY not in json.dumps(found.detail)
    if step in {CheckStep.SMOKE, CheckStep.IDENTITY}:
        assert "•••" in found.detail["answers"][0]["text"]
    endpoint.refresh_from_db()
    assert KEY not in json.dumps(endpoint.probe)


@pytest.mark.django_db
def test_a_draft_keeps_what_the_server_lists_and_no_readable_key() -> None:
    server = BasqueServer(api_key=KEY, echoes=True)
    with served(server):
        draft = services.start_draft(base_url=server.base_url + "/", provider=Provider.VLLM, api_key=KEY)
        assert draft.base_url == server.base_url
    assert [each["name"] for each in draft.seen["served"]][:2] == ["latxa-txiki", "bestea"]
    assert draft.seen["served"][0]["context_tokens"] == 4096
    assert KEY not in json.dumps(list(EndpointDraft.objects.values()), default=str)
    again = services.look_again(draft_id=draft.pk)
    assert {step["said"] for step in again.seen["steps"]} == {"connect"}


@pytest.mark.django_db
def test_a_strange_address_makes_no_draft() -> None:
    with pytest.raises(EndpointNotAllowed):
        services.start_draft(base_url="http://10.0.0.1/v1", provider=Provider.VLLM)
    assert not EndpointDraft.objects.exists()


@pytest.mark.django_db
def test_what_is_added_is_a_shadow_with_its_key_and_the_draft_goes() -> None:
    server = BasqueServer(api_key=KEY)
    with served(server):
        endpoint = add(server, name="Latxa Txikia")
    assert (endpoint.status, endpoint.candidate.code, endpoint.context_tokens) == (
        "shadow",
        "latxa-txikia",
        4096,
    )
    assert endpoint.key_set_at is not None
    assert not EndpointDraft.objects.exists()


@pytest.mark.django_db
def test_the_same_twice_and_a_taken_name_are_refused_and_the_draft_stays() -> None:
    server = BasqueServer()
    with served(server):
        endpoint = add(server)
        with pytest.raises(EndpointExists):
            add(server, candidate=endpoint.candidate)
        with pytest.raises(CandidateExists):
            add(server)
    assert EndpointDraft.objects.count() == 2
    assert ModelEndpoint.objects.count() == Candidate.objects.count() == 1


@pytest.mark.django_db
def test_old_drafts_are_forgotten_with_their_keys() -> None:
    old = EndpointDraft.objects.create(base_url="http://127.0.0.1:9/v1", provider="vllm")
    EndpointDraft.objects.filter(pk=old.pk).update(created_at="2020-01-01T00:00:00Z")
    kept = EndpointDraft.objects.create(base_url="http://127.0.0.1:9/v1", provider="vllm")
    assert services.prune_drafts() == 1
    assert EndpointDraft.objects.get() == kept


@pytest.fixture
def shadow(db: None) -> ModelEndpoint:
    endpoint = services.add_endpoint(base_url="http://127.0.0.1:9/v1", model="gpt")
    endpoint.status = EndpointStatus.SHADOW.value
    endpoint.save()
    return endpoint


def record(endpoint: ModelEndpoint, **outcomes: CheckOutcome) -> None:
    for step in CheckStep:
        EndpointCheck.objects.create(
            endpoint=endpoint, step=step.value, outcome=outcomes.get(step.value, CheckOutcome.PASSED).value
        )


def test_nothing_serves_before_every_check_was_made(shadow: ModelEndpoint) -> None:
    with pytest.raises(ChecksMissing) as caught:
        services.open_endpoint(endpoint_id=shadow.pk, status=EndpointStatus.ACTIVE)
    assert caught.value.steps == tuple(CheckStep)
    record(shadow)
    opened = services.open_endpoint(
        endpoint_id=shadow.pk,
        status=EndpointStatus.CANARY,
        canary_share=0.25,
        system_prompt_mode=SystemPromptMode.USER_TURN,
    )
    assert (opened.status, opened.canary_share, opened.health) == ("canary", 0.25, "unknown")
    assert Candidate.objects.get().system_prompt_mode == "user_turn"


@pytest.mark.parametrize("outcome", [CheckOutcome.FAILED, CheckOutcome.UNCHECKED])
def test_a_failed_check_cannot_be_read_away(shadow: ModelEndpoint, outcome: CheckOutcome) -> None:
    record(shadow, template=outcome)
    with pytest.raises(ChecksMissing):
        services.open_endpoint(endpoint_id=shadow.pk, status=EndpointStatus.ACTIVE, has_read_warnings=True)


def test_a_warning_must_be_read_and_a_later_check_replaces_it(shadow: ModelEndpoint) -> None:
    record(shadow, identity=CheckOutcome.WARNED)
    with pytest.raises(ChecksMissing):
        services.open_endpoint(endpoint_id=shadow.pk, status=EndpointStatus.ACTIVE)
    services.open_endpoint(endpoint_id=shadow.pk, status=EndpointStatus.CANARY, has_read_warnings=True)
    record(shadow)
    services.open_endpoint(endpoint_id=shadow.pk, status=EndpointStatus.ACTIVE)
    assert EndpointCheck.objects.count() == 8


def test_what_serves_no_volunteer_needs_no_checks(shadow: ModelEndpoint) -> None:
    services.open_endpoint(endpoint_id=shadow.pk, status=EndpointStatus.DISABLED)
    services.open_endpoint(endpoint_id=shadow.pk, status=EndpointStatus.RETIRED)
    with pytest.raises(IllegalTransition):
        services.open_endpoint(endpoint_id=shadow.pk, status=EndpointStatus.DISABLED)


@pytest.mark.parametrize(("old", "new"), list(itertools.product(EndpointStatus, EndpointStatus)))
def test_each_transition_is_allowed_or_refused_as_drawn(
    shadow: ModelEndpoint, old: EndpointStatus, new: EndpointStatus
) -> None:
    ModelEndpoint.objects.update(status=old.value, health="live")
    if may_become(old, new):
        services.set_endpoint_status(endpoint_id=shadow.pk, status=new)
    else:
        with pytest.raises(IllegalTransition):
            services.set_endpoint_status(endpoint_id=shadow.pk, status=new)
    shadow.refresh_from_db()
    assert shadow.status == (new if may_become(old, new) else old).value
    was_off = old in {EndpointStatus.DISABLED, EndpointStatus.RETIRED}
    is_moved = may_become(old, new) and old is not new
    assert shadow.health == ("unknown" if was_off and is_moved else "live")


@given(st.lists(st.sampled_from(EndpointStatus), max_size=30))
def test_no_way_leads_from_retired_to_serving_but_through_the_checks(path: list[EndpointStatus]) -> None:
    at, was_shadow = EndpointStatus.RETIRED, False
    for each in path:
        if may_become(at, each):
            at = each
            was_shadow = was_shadow or at is EndpointStatus.SHADOW
        if at in {EndpointStatus.ACTIVE, EndpointStatus.CANARY, EndpointStatus.DISABLED}:
            assert was_shadow


def test_every_status_can_be_left_and_staying_is_allowed() -> None:
    assert set(TRANSITIONS) == set(EndpointStatus)
    assert all(TRANSITIONS[each] and may_become(each, each) for each in EndpointStatus)


def strings(found: Any) -> Iterator[str]:
    if isinstance(found, str):
        yield found
    elif isinstance(found, dict):
        for value in found.values():
            yield from strings(value)
    elif isinstance(found, list):
        for value in found:
            yield from strings(value)


trees = st.recursive(
    st.none() | st.integers() | st.text() | st.just(f"x{KEY}y"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=3), trees, max_size=4))
def test_no_shape_of_an_answer_keeps_the_key(found: dict[str, Any]) -> None:
    assert not any(KEY in text for text in strings(checks.scrubbed(found, KEY)))
    assert checks.scrubbed(found, "") == found
