"""What pages show was computed when the board was published, and is as final as the board."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from django.db import Error, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from arena.models import Campaign
from arena.numbers import parts
from arena.numbers.material import Counts, material_of
from arena.numbers.parts import Part, parts_of
from arena.reports import registry
from arena.services import boards
from inference.models import Candidate, ModelEndpoint
from inference.types import EndpointStatus
from ranking.ballots import Ballots
from ranking.errors import NotConverged
from ranking.filters import ExclusionReason
from ranking.models import Snapshot, SnapshotReport
from ranking.numbers import Numbers
from ranking.services import publish_counts
from ranking.services.snapshots import report_checksum
from ranking.types import Criterion
from tests.arena.builders import make_campaign
from tests.arena.crowds import store

pytestmark = pytest.mark.django_db
OF_VOTES = ("vote", "judgement", "answer", "turn", "battle", "exclusion", "participant")
STORED = sorted({part.report for part in parts.PARTS})


def ballots(n: int, *, users: int = 12, seed: int = 1) -> Ballots:
    """*n* votes on three models without any preference."""
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 3, n)
    return Ballots(
        ("x", "y", "z"),
        *(a, (a + rng.integers(1, 3, n)) % 3, rng.integers(0, 4, n), rng.integers(0, users, n)),
    )


@pytest.fixture
def campaign() -> Campaign:
    return store(ballots(60))[0]


def address(campaign: Campaign, page: str) -> str:
    return reverse("report", args=[campaign.board.slug, page])


def read(client: Client, campaign: Campaign, page: str, **asked: str) -> str:
    client.post(reverse("set_language"), {"language": "en", "next": "/"})
    answer = client.get(address(campaign, page), asked)
    assert answer.status_code == 200
    return answer.content.decode()


def queries(client: Client, campaign: Campaign, page: str) -> list[str]:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address(campaign, page)).status_code == 200
    return [each["sql"] for each in asked.captured_queries]


def of_votes(asked: list[str]) -> list[str]:
    return [sql for sql in asked for table in OF_VOTES if f'"arena_{table}"' in sql]


def test_every_report_of_every_criterion_is_stored_with_the_board(campaign: Campaign) -> None:
    made = boards.publish(campaign.board)
    assert len(made) == 3
    for snapshot in made:
        wanted = {
            (part.report, part.name) for part in parts_of(campaign.board, Criterion(snapshot.criterion))
        }
        assert set(snapshot.reports.values_list("report", "part")) == wanted
    assert not SnapshotReport.objects.exclude(failure="").exists()


def test_pages_read_no_votes_however_many_there_are(client: Client, campaign: Campaign) -> None:
    boards.publish(campaign.board)
    few = {page: queries(client, campaign, page) for page in STORED}
    store(ballots(240, seed=2), campaign=campaign)
    boards.publish(campaign.board)
    for page, asked in few.items():
        many = queries(client, campaign, page)
        assert len(asked) == len(many) <= 13, page
        assert not of_votes(many), page


@pytest.mark.parametrize("page", STORED)
def test_before_the_first_publication_nothing_is_computed(
    client: Client, campaign: Campaign, page: str
) -> None:
    assert not of_votes(queries(client, campaign, page))
    if page != "sampling":  # whose probabilities need no votes
        assert "has not been published yet" in read(client, campaign, page)


def test_a_published_board_from_before_there_were_reports_says_so_and_gets_them(
    client: Client, campaign: Campaign
) -> None:
    pages = [page for page in STORED if page != "sampling"]
    for criterion, tally in material_of(campaign.board).tallies.items():
        publish_counts(board=campaign.board, criterion=criterion, tally=tally, at=timezone.now())
    assert [page for page in pages if "older than this page" in read(client, campaign, page)] == pages
    assert boards.publish_moved() == 3
    assert [page for page in pages if "older than this page" in read(client, campaign, page)] == []


def test_nothing_is_stored_twice_where_no_vote_came(campaign: Campaign) -> None:
    boards.publish(campaign.board)
    stored = SnapshotReport.objects.count()
    assert boards.publish_moved() == 0
    assert SnapshotReport.objects.count() == stored


@pytest.mark.parametrize("change", [lambda rows: rows.update(failure="x"), lambda rows: rows.delete()])
def test_a_stored_report_is_final(campaign: Campaign, change: Callable[[object], object]) -> None:
    boards.publish(campaign.board)
    with pytest.raises(Error, match="never changed"), transaction.atomic():
        change(SnapshotReport.objects.filter(report="quality"))
    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM ranking_snapshotreport")
    assert SnapshotReport.objects.filter(report="quality", failure="").count() == 3


def test_a_checksum_holds_what_is_stored_and_on_which_board(campaign: Campaign) -> None:
    boards.publish(campaign.board)
    stored = list(SnapshotReport.objects.select_related("snapshot"))
    assert all(each.checksum == report_checksum(each) for each in stored)
    assert len({each.checksum for each in stored}) == len(stored)
    one = stored[0]
    one.snapshot = Snapshot.objects.exclude(pk=one.snapshot_id)[0]
    assert report_checksum(one) != one.checksum


@pytest.mark.parametrize("error", [NotConverged("no"), ZeroDivisionError(), ValueError("nan")])
def test_what_cannot_be_computed_is_said_and_not_tried_again(
    client: Client,
    campaign: Campaign,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    def fails(_material: Counts, _criterion: Criterion) -> Numbers:
        raise error

    monkeypatch.setattr(
        parts, "PARTS", (Part("style", "", fails), Part("quality", "", parts.PARTS[0].compute))
    )
    assert boards.publish_moved() == 3
    assert "was not computed" in caplog.text
    failed = SnapshotReport.objects.filter(report="style")
    assert {each.failure for each in failed} == {type(error).__name__}
    assert all(each.checksum == report_checksum(each) for each in failed)
    assert "could not be computed" in read(client, campaign, "style")
    assert "could not be computed" not in read(client, campaign, "quality")
    assert boards.publish_moved() == 0


def test_a_mistake_in_the_code_publishes_nothing(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    def mistaken(_material: Counts, _criterion: Criterion) -> Numbers:
        raise TypeError

    monkeypatch.setattr(parts, "PARTS", (Part("style", "", mistaken),))
    with pytest.raises(TypeError):
        boards.publish_moved()
    assert not Snapshot.objects.exists()


def test_numbers_stay_those_of_the_publication_and_name_it(client: Client, campaign: Campaign) -> None:
    boards.publish(campaign.board)
    first = campaign.board.snapshots.get(criterion="overall")
    store(ballots(30, seed=3), campaign=campaign, reasons=[ExclusionReason.GUEST])
    told = json.loads(read(client, campaign, "quality", format="json"))
    assert {row["kind"]: row["votes"] for row in told["totals"]}["all"] == 60
    assert (told["snapshot"], told["n_votes"]) == (str(first.pk), 60)
    assert "computed_at" not in told
    page = read(client, campaign, "quality")
    assert reverse("snapshot", args=[campaign.board.slug, first.pk]) in page
    assert "Computed at this moment" not in page
    assert "Computed at this moment" in read(client, campaign, "pairs")
    store(ballots(5, seed=4), campaign=campaign)
    boards.publish(campaign.board)
    told = json.loads(read(client, campaign, "quality", format="json"))
    assert {row["kind"]: row["votes"] for row in told["totals"]}["all"] == 95
    assert told["n_votes"] == 65


def test_an_empty_board_is_published_for_its_planner_and_again_when_a_model_joins(client: Client) -> None:
    campaign = make_campaign(candidates=1)
    assert boards.publish_moved() == 0
    other = Candidate.objects.create(code="berri", name="Berri")
    endpoint = ModelEndpoint.objects.create(candidate=other, base_url="http://b.invalid/v1", model="b")
    assert boards.publish_moved() == 3
    assert boards.publish_moved() == 0
    assert "all of this is assumed" in read(client, campaign, "planner")
    assert "There are no votes yet" in read(client, campaign, "quality")
    third = Candidate.objects.create(code="berriago", name="Berriago")
    ModelEndpoint.objects.create(candidate=third, base_url="http://b.invalid/v1", model="c")
    assert boards.publish_moved() == 3
    endpoint.status = EndpointStatus.DISABLED.value
    endpoint.save()
    assert boards.publish_moved() == 0


def test_admitted_votes_of_fewer_than_five_volunteers_are_compared_with_nothing(
    client: Client, campaign: Campaign
) -> None:
    store(ballots(30, users=4), campaign=campaign, reasons=[ExclusionReason.GUEST])
    store(ballots(30, users=6), campaign=campaign, reasons=[ExclusionReason.RATE])
    store(ballots(3, users=2), campaign=campaign, reasons=[ExclusionReason.RATE, ExclusionReason.GUEST])
    boards.publish(campaign.board)
    few = json.loads(read(client, campaign, "filters", format="json", guest="1"))
    assert (few["added"], few["reasons"][8]["admitted"]) == ([], 30)
    assert "Fewer than 5 volunteers" in read(client, campaign, "filters", guest="1")
    both = json.loads(read(client, campaign, "filters", format="json", guest="1", rate="1"))
    assert {row["reason"] for row in both["added"]} == {"rate"}
    assert {row["model"] for row in both["added"]} == {"x", "y", "z"}
    assert sum(row["battles"] for row in both["board"]) == 2 * (60 + 30 + 30 + 3)


def test_every_stored_report_has_a_page() -> None:
    assert set(STORED) <= {page.slug for page in registry.PAGES}
