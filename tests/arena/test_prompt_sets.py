"""Prompt sets: uploaded, answered by every candidate through the gateway, judged in pairs."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import pytest
from django.conf import settings as site
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from arena.errors import PromptSetTaken
from arena.models import Battle, Campaign, Prompt, PromptSet, SetAnswer, User, Vote
from arena.prompt_files import PromptRow
from arena.selectors.judgements import Judgements
from arena.selectors.judging import prompts_to_judge
from arena.selectors.prompt_sets import errors_of
from arena.services.judging import give_pair
from arena.services.prompt_sets import MOST_ATTEMPTS, TELLS, Progress, answer_set, create_set
from arena.services.report_queue import ACTS, report_battle, settle
from arena.services.staff import ensure_admin
from arena.services.votes import cast_vote
from arena.tasks import resume_prompt_sets
from arena.types import ReportReason
from inference.fakes import FakeModelServer
from inference.models import Circuit, ModelEndpoint
from ranking.types import Outcome
from tests.arena.builders import make_campaign, make_candidate, make_participant

_Result = TypeVar("_Result")
ROWS = [PromptRow("Zer da Korrika?", task="azalpena"), PromptRow("Laburtu hau.", register="hika")]


@contextmanager
def served(*servers: FakeModelServer) -> Iterator[None]:
    """The servers answer in a loop of their own, as another process's would."""
    loop = asyncio.new_event_loop()
    ready, over = threading.Event(), asyncio.Event()

    async def serve() -> None:
        for server in servers:
            await server.start()
        ready.set()
        await over.wait()
        for server in servers:
            await server.stop()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(20)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


@pytest.fixture
def servers() -> Iterator[tuple[FakeModelServer, FakeModelServer]]:
    pair = FakeModelServer(words=("Bai", ", noski.")), FakeModelServer(words=("Ez", " dakit."))
    with served(*pair):
        yield pair


@pytest.fixture
def campaign(transactional_db: None, servers: tuple[FakeModelServer, FakeModelServer]) -> Campaign:
    campaign = make_campaign(candidates=0)
    for server in servers:
        make_candidate(base_url=server.base_url)
    return campaign


@pytest.fixture
def prompts(campaign: Campaign) -> PromptSet:
    return create_set(slug="proba", name="Proba", campaign=campaign, rows=ROWS, staff=None)


def test_the_same_list_again_changes_nothing_and_another_is_refused(prompts: PromptSet) -> None:
    again = create_set(slug="proba", name="Proba", campaign=prompts.campaign, rows=ROWS, staff=None)
    assert again == prompts
    assert [each.text for each in Prompt.objects.all()] == [row.text for row in ROWS]
    with pytest.raises(PromptSetTaken):
        create_set(slug="proba", name="Proba", campaign=prompts.campaign, rows=ROWS[:1], staff=None)


def test_every_candidate_answers_every_prompt_once(
    prompts: PromptSet, servers: tuple[FakeModelServer, FakeModelServer]
) -> None:
    assert answer_set(set_id=prompts.pk) == Progress(wanted=4, complete=4, failed=0)
    assert set(SetAnswer.objects.values_list("text", flat=True)) == {"Bai, noski.", "Ez dakit."}
    assert answer_set(set_id=prompts.pk).complete == 4
    assert [server.requests for server in servers] == [2, 2]


def test_what_failed_is_asked_three_times_and_others_are_unharmed(
    prompts: PromptSet, servers: tuple[FakeModelServer, FakeModelServer]
) -> None:
    servers[0].words = ()
    assert answer_set(set_id=prompts.pk) == Progress(wanted=4, complete=2, failed=2)
    failed = SetAnswer.objects.filter(status="failed")
    assert set(failed.values_list("attempts", "error_code")) == {(MOST_ATTEMPTS, "empty")}


def test_an_outage_costs_no_attempt_and_the_next_run_goes_on(
    prompts: PromptSet, servers: tuple[FakeModelServer, FakeModelServer]
) -> None:
    address = dict(ModelEndpoint.objects.values_list("pk", "base_url"))
    ModelEndpoint.objects.update(base_url="http://127.0.0.1:9/v1")
    assert answer_set(set_id=prompts.pk) == Progress(wanted=4, complete=0, failed=0)
    assert set(SetAnswer.objects.values_list("attempts", flat=True)) == {0}
    for key, base_url in address.items():
        ModelEndpoint.objects.filter(pk=key).update(base_url=base_url)
    Circuit.objects.all().delete()
    assert answer_set(set_id=prompts.pk).complete == 4


def test_an_answer_that_tells_who_wrote_it_is_shown_to_nobody(
    prompts: PromptSet, servers: tuple[FakeModelServer, FakeModelServer]
) -> None:
    servers[0].words = ("Ni ChatGPT", " naiz.")
    assert answer_set(set_id=prompts.pk) == Progress(wanted=4, complete=2, failed=2)
    assert set(SetAnswer.objects.filter(status="failed").values_list("error_code", flat=True)) == {TELLS}
    assert not prompts_to_judge(make_participant(prompts.campaign), prompts.campaign).exists()


def test_what_a_killed_worker_left_is_taken_over_once_its_claim_ran_out(prompts: PromptSet) -> None:
    PromptSet.objects.update(claimed_until=timezone.now() + timedelta(minutes=1))
    assert answer_set(set_id=prompts.pk) == Progress(0, 0, 0), "another process is at it"
    PromptSet.objects.update(claimed_until=timezone.now() - timedelta(minutes=1))
    assert answer_set(set_id=prompts.pk).complete == 4
    assert PromptSet.objects.get().claimed_until is None


def test_beat_goes_on_with_what_a_killed_worker_left_and_with_nothing_else(prompts: PromptSet) -> None:
    planned = {each["task"] for each in site.CELERY_BEAT_SCHEDULE.values()}
    assert resume_prompt_sets.name in planned
    assert resume_prompt_sets() == 0, "nobody has asked for the answers yet"
    PromptSet.objects.update(claimed_until=timezone.now() + timedelta(minutes=1))
    assert resume_prompt_sets() == 0, "another process is at it"
    assert not SetAnswer.objects.exists()
    PromptSet.objects.update(claimed_until=timezone.now() - timedelta(minutes=1))
    assert resume_prompt_sets() == 1
    assert SetAnswer.objects.filter(status="complete").count() == 4
    assert resume_prompt_sets() == 0


def test_staff_see_why_answers_lack(
    prompts: PromptSet, servers: tuple[FakeModelServer, FakeModelServer], admin_client: Client
) -> None:
    servers[0].words = ()
    answer_set(set_id=prompts.pk)
    one = SetAnswer.objects.filter(status="complete").first()
    assert one is not None
    SetAnswer.objects.filter(pk=one.pk).update(status="failed", error_code=TELLS)
    assert errors_of(prompts) == {"empty": 2, TELLS: 1}
    page = admin_client.get(reverse("admin:arena_promptset_change", args=[prompts.pk])).content.decode()
    assert f"empty: 2, {TELLS}: 1" in page
    assert 'type="file"' not in page


def test_few_are_asked_for_at_once(
    prompts: PromptSet, servers: tuple[FakeModelServer, FakeModelServer], settings: Settings
) -> None:
    settings.LEHIA_BATCH_IN_FLIGHT = 1
    most = _watch(servers, lambda: answer_set(set_id=prompts.pk))
    assert most == 1


def _watch(servers: tuple[FakeModelServer, ...], act: Callable[[], _Result]) -> int:
    """How many requests were under way together, at most."""
    seen: list[int] = []

    def words() -> Iterator[str]:
        seen.append(sum(server.live for server in servers))
        yield "Bai"

    class Watched:
        def __iter__(self) -> Iterator[str]:
            return words()

    for server in servers:
        server.words = Watched()
    act()
    return max(seen)


def test_the_command_says_how_far_it_is(prompts: PromptSet, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("answer_prompts", "proba")
    assert json.loads(capsys.readouterr().out) == {"wanted": 4, "complete": 4, "failed": 0}
    with pytest.raises(CommandError, match="there are: proba") as caught:
        call_command("answer_prompts", "beste")
    assert caught.value.returncode == 2


# pairs


def vote_on(battle: Battle) -> Vote:
    judged = Judgements(Outcome.A_BETTER, Outcome.TIE)
    return cast_vote(battle_id=battle.pk, participant=battle.participant, judgements=judged)


def test_pairs_of_a_set_are_judged_once_each_with_every_server_away(
    prompts: PromptSet, campaign: Campaign
) -> None:
    answer_set(set_id=prompts.pk)
    ModelEndpoint.objects.update(health="down")
    judge = make_participant(campaign)
    seen = []
    for _ in range(2):
        pair = give_pair(participant_id=judge.pk, campaign=campaign)
        vote = vote_on(pair)
        assert [each.reason for each in vote.exclusions.all()] == ["prompt_set"]
        assert (vote.counted, vote.credited) == (False, True)
        seen.append(pair.prompt_id)
    assert set(seen) == set(prompts.prompts.values_list("pk", flat=True))
    first = Battle.objects.order_by("created_at").first()
    other = give_pair(participant_id=make_participant(campaign).pk, campaign=campaign)
    assert other.source == "prompt_set"
    assert first is not None
    assert (first.twin_id, other.twin.prompt_id if other.twin else 0) == (None, other.prompt_id)


def test_a_reported_prompt_is_hidden_and_nobody_is_banned_for_it(
    prompts: PromptSet, campaign: Campaign
) -> None:
    answer_set(set_id=prompts.pk)
    reporter, staff = make_participant(campaign), User.objects.create_user("langilea", is_staff=True)
    pair = give_pair(participant_id=reporter.pk, campaign=campaign)
    report = report_battle(battle_id=pair.pk, participant_id=reporter.pk, reason=ReportReason.ABUSE)
    assert pair.prompt not in prompts_to_judge(make_participant(campaign), campaign)
    settle(report_id=report.pk, acts=ACTS, staff=staff)
    reporter.refresh_from_db()
    assert reporter.banned_at is None
    assert pair.prompt not in prompts_to_judge(make_participant(campaign), campaign)
    assert Prompt.objects.filter(hidden_at__isnull=False).count() == 1


def test_a_prompt_that_one_candidate_answered_is_no_pair(prompts: PromptSet, campaign: Campaign) -> None:
    answer_set(set_id=prompts.pk)
    code = SetAnswer.objects.order_by("candidate__code").values_list("candidate", flat=True).first()
    SetAnswer.objects.filter(candidate=code).update(
        status="failed", text="", finish_reason="", error_code="server"
    )
    answer = Client().post(reverse("judge"))
    assert answer.status_code == 302
    assert not Battle.objects.exists()


# admin


def test_staff_upload_a_list_and_bad_rows_are_located(client: Client, campaign: Campaign) -> None:
    ensure_admin()
    client.force_login(User.objects.get(is_superuser=True))
    address = reverse("admin:arena_promptset_add")

    def upload(content: str) -> str:
        sent = {
            "name": "Proba",
            "slug": "proba",
            "campaign": str(campaign.pk),
            "file": SimpleUploadedFile("a.csv", content.encode()),
        }
        return client.post(address, sent, follow=True).content.decode()

    assert "3. lerroa" in upload("text\nKaixo\nKaixo\n")
    assert not PromptSet.objects.exists()
    upload("text\nKaixo\n")
    assert PromptSet.objects.get().staff == User.objects.get(is_superuser=True)
    assert "errorlist" in upload("text\nBeste bat\n")
    assert "0 / 0" in client.get(reverse("admin:arena_promptset_changelist")).content.decode()
