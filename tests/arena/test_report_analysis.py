"""Analyses of any part of the votes: what the page says is what its command computes from the files."""

from __future__ import annotations

import html
import io
import json
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from kombu.exceptions import OperationalError
from pytest_django.plugin import DjangoDbBlocker

from arena.models import Battle, Campaign, Participant, Study, Turn, Vote
from arena.services import boards, studies
from arena.services.exclusions import exclude
from arena.tasks import compute_studies
from arena.types import Display, Education, ExclusionSource, LanguageLevel
from ranking.analysis import ANALYSES, WAYS
from ranking.ballots import Ballots
from ranking.cli import main
from ranking.filters import ExclusionReason
from ranking.models import Snapshot
from ranking.types import Criterion
from tests.arena.crowds import Told, store
from tests.worlds import made_once

pytestmark = pytest.mark.django_db
MODELS = ("exp_0_000", "exp_0_010", "exp_1_010", "exp_1_111")
LEVELS = list(LanguageLevel)
EDUCATIONS = [Education.HIGH_SCHOOL, None]
N, USERS = 400, 24


def told(at: int) -> Told:
    return Told(prompts=[f"Galdera {at % 5}"] if at % 3 else [" Luzea" * 40 + " ", "Eta?"], day=at // 40)


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Campaign]:
    with made_once(django_db_blocker, published_campaign) as made:
        yield made


@pytest.fixture
def campaign(world: Campaign) -> Campaign:
    return Campaign.objects.select_related("board").get(pk=world.pk)


def published_campaign() -> Campaign:
    """A board of votes of several kinds, published; a few do not count, and two levels are rare."""
    rng = np.random.default_rng(5)
    a = rng.integers(0, 4, N)
    b = (a + rng.integers(1, 4, N)) % 4
    outcome = np.where(rng.random(N) < 0.2, 2, (rng.random(N) < 0.5).astype(int))
    ballots = Ballots(MODELS, a, b, outcome, rng.integers(0, USERS, N))
    found, _people = store(
        ballots,
        told=told,
        level=lambda user: LEVELS[2] if user < 14 else LEVELS[1] if user < 22 else LEVELS[0],
        education=lambda user: EDUCATIONS[user % 2],
    )
    battles = list(Battle.objects.order_by("created_at"))
    for at, battle in enumerate(battles):
        battle.display = list(Display)[at % 2].value
    Battle.objects.bulk_update(battles, ["display"])
    measured = list(Turn.objects.filter(index=1).order_by("battle__created_at"))
    for at, turn in enumerate(measured):
        turn.language, turn.basque_share = ("es", 0.1) if at % 4 == 0 else ("eu", 0.9)
    Turn.objects.bulk_update(measured, ["language", "basque_share"])
    for vote in Vote.objects.order_by("created_at")[:30]:
        exclude(vote_id=vote.pk, reason=ExclusionReason.GUEST, source=ExclusionSource.RULE)
    boards.publish(found.board)
    return found


def address(campaign: Campaign) -> str:
    return reverse("report", args=[campaign.board.slug, "analysis"])


def page(client: Client, campaign: Campaign, /, **asked: str) -> str:
    """The page once its numbers are there."""
    client.get(address(campaign), asked)
    studies.compute_waiting()
    client.cookies["django_language"] = "en"
    answer = client.get(address(campaign), asked)
    assert answer.status_code == 200
    return answer.content.decode()


def numbers(client: Client, campaign: Campaign, /, **asked: str) -> dict[str, Any]:
    answer = client.get(address(campaign), {**asked, "format": "json"})
    assert answer.status_code == 200
    return dict(json.loads(answer.content))


def commands(shown: str) -> list[list[str]]:
    found = re.search(r'id="command">(.*?)</code>', shown, re.DOTALL)
    assert found is not None
    return [shlex.split(line.removesuffix("&&")) for line in html.unescape(found[1]).splitlines()]


def run(shown: str) -> dict[str, Any]:
    """What the page's commands print, run as they stand but within this process, where the test's votes are."""
    export, ranking = commands(shown)
    assert export[:3] == ["python", "manage.py", "export_preferences"]
    assert ranking[:3] == ["python", "-m", "ranking"]
    call_command(*export[2:], stdout=io.StringIO())
    with redirect_stdout(io.StringIO()) as printed:
        assert main(ranking[3:]) == 0
    return dict(json.loads(printed.getvalue()))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Commands run here; published boards are old enough to be exported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("arena.services.exports.MARGIN", timedelta(0))
    yield tmp_path


def same(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, int | float):
        return abs(one - other) <= 1e-6
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return one == other


ASKED: list[dict[str, str]] = [
    *({"show": name} for name in ANALYSES),
    *({"show": "slices", "by": way} for way in WAYS),
    {"show": "board", "criterion": "language", "level": "C1-C2"},
    {"show": "board", "exclude": "none"},
    {"show": "board", "guest": "1", "since": "2026-03-04", "until": "2026-03-10"},
    {"show": "factors", "display": "paced", "criterion": "content"},
    {"show": "agreement", "turns": "1", "language": "eu"},
    {"show": "prompts", "language": "es", "length": "1-50"},
    {"show": "prompts", "education": "High School", "campaign": "lehia"},
    {"show": "slices", "by": "week", "education": "undeclared"},
]


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: "-".join(asked.values()))
def test_the_command_on_a_page_gives_the_pages_numbers(
    client: Client, campaign: Campaign, here: Path, asked: dict[str, str]
) -> None:
    printed = run(page(client, campaign, **asked))
    on_page = numbers(client, campaign, **asked)
    if asked["show"] == "board":
        rows = [{name: row[name] for name in on_page["board"][0]} for row in printed["ratings"]]
        assert same(on_page["board"], rows)
        assert on_page["votes"] == printed["n_votes"]
        return
    shared = printed.keys() - {"analysis", "criterion"}
    assert shared <= on_page.keys()
    assert same({name: printed[name] for name in shared}, {name: on_page[name] for name in shared})
    assert any(isinstance(value, list) for value in printed.values())


def test_without_filters_the_ratings_are_those_of_the_board(client: Client, campaign: Campaign) -> None:
    page(client, campaign)
    mine = {row["model"]: row["rating"] for row in numbers(client, campaign)["board"]}
    cited = client.get(reverse("board", args=[campaign.board.slug]), {"format": "json"}).json()
    assert all(abs(mine[row["model"]] - row["rating"]) < 1e-6 for row in cited["ratings"])


def test_filters_stay_in_the_address_from_one_analysis_to_the_next(
    client: Client, campaign: Campaign
) -> None:
    shown = page(client, campaign, show="prompts", level="C1-C2", turns="1")
    assert "show=prompts&amp;level=C1-C2&amp;turns=1" in shown
    assert re.search(r'<option value="C1-C2" selected>', shown)
    assert "format=csv" in shown
    assert "level=C1-C2" in shown[shown.index("format=csv") - 200 : shown.index("format=csv")]


def test_a_page_reads_no_votes_and_the_first_look_waits(
    client: Client, campaign: Campaign, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    with django_assert_max_num_queries(18) as asked:
        first = client.get(address(campaign), {"show": "prompts"})
    assert b"data-waiting" in first.content
    assert not [each for each in asked.captured_queries if '"arena_vote"' in each["sql"]]
    assert client.get(address(campaign), {"show": "prompts", "format": "json"}).status_code == 202
    assert (Study.objects.count(), studies.compute_waiting(), studies.compute_waiting()) == (1, 1, 0)
    assert b"data-waiting" not in client.get(address(campaign), {"show": "prompts"}).content


def test_fewer_than_five_people_are_not_told_of(client: Client, campaign: Campaign) -> None:
    shown = page(client, campaign, show="board", level="A1-A2")
    assert "Nothing is said" in shown
    assert "<table" not in shown


def test_a_rare_level_cannot_be_told_from_what_is_left_without_it(client: Client, campaign: Campaign) -> None:
    Participant.objects.filter(language_level="B1-B2").update(language_level="")
    Vote.objects.filter(language_level="B1-B2").update(language_level="C1-C2")
    assert "Nothing is said" in page(client, campaign, show="board", level="C1-C2")


def test_no_message_is_on_any_page(client: Client, campaign: Campaign) -> None:
    for name in ANALYSES:
        assert "Galdera" not in page(client, campaign, show=name)


@pytest.mark.parametrize(
    "asked", [{"show": "taste"}, {"by": "moon"}, {"since": "soon"}, {"exclude": "taste"}, {"turns": "4"}]
)
def test_a_filter_that_is_none_is_said_and_computes_nothing(
    client: Client, campaign: Campaign, asked: dict[str, str]
) -> None:
    assert "cannot be used" in page(client, campaign, **asked)
    assert not Study.objects.exists()


def test_only_so_many_analyses_wait(
    client: Client, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studies, "MOST_WAITING", 2)
    for name in ("board", "factors"):
        client.get(address(campaign), {"show": name})
    client.cookies["django_language"] = "en"
    assert b"Many analyses are waiting" in client.get(address(campaign), {"show": "prompts"}).content
    assert studies.compute_waiting() == 2
    assert b"data-waiting" in client.get(address(campaign), {"show": "prompts"}).content


def test_what_cannot_be_computed_says_so_and_is_not_tried_again(
    client: Client, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("of these votes")

    monkeypatch.setattr(studies, "analyse", broken)
    assert "could not be computed" in page(client, campaign)
    assert Study.objects.get().failure == "ValueError"
    assert studies.compute_waiting() == 0


def test_studies_are_forgotten_after_a_week(client: Client, campaign: Campaign) -> None:
    page(client, campaign)
    Study.objects.update(created_at=timezone.now() - studies.KEPT - timedelta(seconds=1))
    studies.compute_waiting()
    assert not Study.objects.exists()


def test_the_worker_away_costs_no_page(
    client: Client,
    campaign: Campaign,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    def away(**_: object) -> None:
        raise OperationalError

    monkeypatch.setattr(compute_studies, "apply_async", away)
    with django_capture_on_commit_callbacks(execute=True) as nudges:
        assert client.get(address(campaign)).status_code == 200
    assert len(nudges) == 1


def test_imported_boards_have_no_such_page(client: Client, campaign: Campaign) -> None:
    campaign.board.kind = "imported"
    campaign.board.save()
    assert client.get(address(campaign)).status_code == 404


def test_every_criterion_is_published_for_it(campaign: Campaign) -> None:
    assert set(Snapshot.objects.values_list("criterion", flat=True)) == {each.value for each in Criterion}
