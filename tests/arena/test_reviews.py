"""The review queue: what statistics find, and what staff make of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from io import StringIO
from uuid import UUID

import numpy as np
import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker

from arena.controls import ControlKind
from arena.models import Battle, Campaign, Control, Exclusion, Finding, Participant, User, Vote
from arena.services import reviews
from arena.services.exclusions import exclude, lift, unflag_participant
from arena.types import BattleSource, BattleStatus, ExclusionSource, FindingState
from ranking.filters import ExclusionReason
from ranking.models import Board
from ranking.selectors import load_tally
from ranking.types import Criterion
from tests.arena.crowds import store
from tests.ranking.volunteers import ALWAYS_LEFT, HONEST, volunteers
from tests.worlds import made_once

pytestmark = pytest.mark.django_db
N_VOTES = 16
KINDS = [ALWAYS_LEFT, *[HONEST] * 39]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[list[UUID]]:
    """Forty volunteers, of whom the first always says that A is better."""

    def made() -> list[UUID]:
        return [each.pk for each in store(volunteers(KINDS, N_VOTES, np.random.default_rng(4)))[1]]

    with made_once(django_db_blocker, made) as people:
        yield people


@pytest.fixture
def crowd(world: list[UUID]) -> tuple[Campaign, list[Participant]]:
    people = Participant.objects.in_bulk(world)
    return Campaign.objects.select_related("board").get(), [people[each] for each in world]


def findings() -> list[tuple[object, ...]]:
    return list(Finding.objects.order_by("pk").values_list())


def n_counted(board: Board) -> int:
    return load_tally(board_id=board.pk, criterion=Criterion.OVERALL).n_votes


def test_who_always_says_a_is_queued_and_still_counted(crowd: tuple[Campaign, list[Participant]]) -> None:
    campaign, people = crowd
    said = reviews.review(campaign.board)
    assert (said.votes, said.raters) == (len(KINDS) * N_VOTES, len(KINDS))
    assert said.flagged >= 1
    assert said.new == Finding.objects.count() >= 1
    found = Finding.objects.get(participant=people[0], test="position")
    assert found.state == "open"
    assert found.n_votes == N_VOTES
    assert found.statistic > 3
    assert found.p <= found.q * 10  # corrected upwards, by the number of volunteers at most
    assert found.q <= 0.1
    assert n_counted(campaign.board) == len(KINDS) * N_VOTES
    assert not Exclusion.objects.exists()


def test_a_repeated_review_changes_nothing(crowd: tuple[Campaign, list[Participant]]) -> None:
    reviews.review(crowd[0].board)
    before = findings()
    assert reviews.review(crowd[0].board).new == 0
    assert findings() == before


def judged_control(like: Vote) -> Vote:
    """The same volunteer's vote on a control pair, made of the battle of another vote."""
    origin = like.battle
    pair = Battle.objects.create(
        campaign=origin.campaign,
        participant=like.participant,
        candidate_a=origin.candidate_a,
        candidate_b=origin.candidate_b,
        source=BattleSource.REJUDGED.value,
        origin=origin,
        status=BattleStatus.VOTED.value,
        policy="proba",
        propensity=1.0,
        draw_seed=1,
    )
    Control.objects.create(battle=pair, kind=ControlKind.IDENTICAL.value)
    vote = Vote.objects.create(battle=pair, participant=like.participant, winner="tie", counted=False)
    Exclusion.objects.create(vote=vote, reason=ExclusionReason.REJUDGED.value, source="rule")
    return vote


def test_the_controls_that_somebody_failed_stand_beside_what_is_open_and_stay_as_they_were_decided_on(
    crowd: tuple[Campaign, list[Participant]], admin_client: Client
) -> None:
    campaign, people = crowd
    judged = [judged_control(vote) for vote in Vote.objects.filter(participant=people[0])[:3]]
    for vote in judged[:2]:
        exclude(vote_id=vote.pk, reason=ExclusionReason.FAILED_CONTROL, source=ExclusionSource.RULE)
    reviews.review(campaign.board)
    found = Finding.objects.get(participant=people[0], test="position")
    assert (found.n_controls, found.n_controls_failed) == (3, 2)
    page = admin_client.get(reverse("admin:arena_finding_changelist")).content.decode()
    assert "2 / 3" in page
    lift(vote_id=judged[0].pk, reason=ExclusionReason.FAILED_CONTROL)
    reviews.review(campaign.board)
    found.refresh_from_db()
    assert found.n_controls_failed == 1, "an open one follows"
    reviews.dismiss(finding_id=found.pk, staff=None)
    lift(vote_id=judged[1].pk, reason=ExclusionReason.FAILED_CONTROL)
    reviews.review(campaign.board)
    found.refresh_from_db()
    assert found.n_controls_failed == 1, "a decided one does not"


def test_confirming_takes_out_all_votes_and_closes_all_that_is_open(
    crowd: tuple[Campaign, list[Participant]],
) -> None:
    campaign, people = crowd
    reviews.review(campaign.board)
    staff = User.objects.create_user("langile")
    found = Finding.objects.get(participant=people[0], test="position")
    other = Finding.objects.create(
        board=campaign.board,
        participant=people[0],
        test="reliability",
        statistic=-3,
        p=0.01,
        q=0.05,
        n_votes=N_VOTES,
    )
    assert reviews.confirm(finding_id=found.pk, staff=staff) == N_VOTES
    for each in (found, other):
        each.refresh_from_db()
        assert (each.state, each.staff) == ("confirmed", staff)
    assert n_counted(campaign.board) == (len(KINDS) - 1) * N_VOTES
    said = Exclusion.objects.filter(lifted_at=None)
    assert set(said.values_list("reason", "source", "staff")) == {("flagged_user", "statistics", staff.pk)}
    assert not Vote.objects.filter(participant=people[0], counted=True).exists()
    before = findings()
    assert reviews.confirm(finding_id=found.pk, staff=None) == N_VOTES
    assert reviews.review(campaign.board).new == 0
    assert findings() == before


def test_a_dismissed_finding_stays_so_until_there_are_twice_the_votes(
    crowd: tuple[Campaign, list[Participant]],
) -> None:
    campaign, people = crowd
    reviews.review(campaign.board)
    found = Finding.objects.get(participant=people[0], test="position")
    assert reviews.dismiss(finding_id=found.pk, staff=None)
    assert not reviews.dismiss(finding_id=found.pk, staff=None)
    assert reviews.confirm(finding_id=found.pk, staff=None) == 0
    assert reviews.review(campaign.board).new == 0
    assert n_counted(campaign.board) == len(KINDS) * N_VOTES
    Finding.objects.filter(pk=found.pk).update(n_votes=N_VOTES // 2)
    assert reviews.review(campaign.board).new == 1
    assert Finding.objects.filter(participant=people[0], test="position", state="open").count() == 1


def test_who_counts_again_after_a_confirmation_is_not_queued_at_once(
    crowd: tuple[Campaign, list[Participant]],
) -> None:
    campaign, people = crowd
    reviews.review(campaign.board)
    reviews.confirm(finding_id=Finding.objects.get(participant=people[0], test="position").pk, staff=None)
    unflag_participant(participant=people[0])
    reviews.review(campaign.board)
    assert not Finding.objects.filter(participant=people[0], test="position", state="open").exists()


def test_the_command_says_what_is_new(crowd: tuple[Campaign, list[Participant]]) -> None:
    out = StringIO()
    call_command("review_votes", board=crowd[0].board.slug, stdout=out)
    said = json.loads(out.getvalue())[crowd[0].board.slug]
    assert said["new"] == Finding.objects.count()
    assert said["votes"] == len(KINDS) * N_VOTES
    with pytest.raises(CommandError, match="no live board"):
        call_command("review_votes", board="ez-dago")


def test_logs_hold_no_participant(
    crowd: tuple[Campaign, list[Participant]], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="arena.services.reviews"):
        reviews.review(crowd[0].board)
        reviews.confirm(finding_id=Finding.objects.all()[0].pk, staff=None)
    assert f"{len(KINDS) * N_VOTES} votes, 40 raters" in caplog.text
    assert not any(str(person.pk) in caplog.text for person in crowd[1])


def test_staff_see_what_is_open_and_decide(
    crowd: tuple[Campaign, list[Participant]], admin_client: Client
) -> None:
    campaign, people = crowd
    reviews.review(campaign.board)
    address = reverse("admin:arena_finding_changelist")
    found = Finding.objects.get(participant=people[0], test="position")
    page = admin_client.get(address).content.decode()
    assert str(people[0].pk) in page
    assert "Prefers a side" in page or "alde" in page
    admin_client.post(address, {"action": "confirm", "_selected_action": [str(found.pk)]})
    found.refresh_from_db()
    assert found.state == "confirmed"
    assert found.staff is not None
    assert n_counted(campaign.board) == (len(KINDS) - 1) * N_VOTES
    assert str(people[0].pk) not in admin_client.get(address).content.decode()
    for state in ("confirmed", "all"):
        assert str(people[0].pk) in admin_client.get(address, {"state": state}).content.decode()
    assert str(people[0].pk) not in admin_client.get(address, {"state": "dismissed"}).content.decode()


def test_staff_dismiss_and_nothing_moves(
    crowd: tuple[Campaign, list[Participant]], admin_client: Client
) -> None:
    campaign, _people = crowd
    reviews.review(campaign.board)
    address = reverse("admin:arena_finding_changelist")
    chosen = [str(pk) for pk in Finding.objects.values_list("pk", flat=True)]
    admin_client.post(address, {"action": "dismiss", "_selected_action": chosen})
    assert set(Finding.objects.values_list("state", flat=True)) == {"dismissed"}
    assert n_counted(campaign.board) == len(KINDS) * N_VOTES


def test_who_may_only_look_decides_nothing(crowd: tuple[Campaign, list[Participant]], client: Client) -> None:
    reviews.review(crowd[0].board)
    looker = User.objects.create_user("begirale", password="x" * 12, is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_finding"))
    client.force_login(looker)
    address = reverse("admin:arena_finding_changelist")
    assert client.get(address).status_code == 200
    for action in ("confirm", "dismiss"):
        client.post(address, {"action": action, "_selected_action": [str(Finding.objects.all()[0].pk)]})
    assert set(Finding.objects.values_list("state", flat=True)) == {"open"}


def test_the_database_keeps_findings_whole(crowd: tuple[Campaign, list[Participant]]) -> None:
    campaign, people = crowd
    good = {
        "board": campaign.board,
        "participant": people[1],
        "test": "position",
        "statistic": 4.0,
        "p": 0.1,
        "q": 0.2,
    }
    Finding.objects.create(**good, n_votes=9)
    decided = {"state": FindingState.DISMISSED.value, "decided_at": timezone.now()}
    Finding.objects.create(**good, n_votes=9, **decided)
    wrong: list[dict[str, object]] = [
        {},
        {"test": "whim"},
        {"test": "tie_rate", "state": "perhaps", "decided_at": timezone.now()},
        {"test": "tie_rate", "q": 1.5},
        {"test": "tie_rate", "decided_at": timezone.now()},
        {"test": "tie_rate", "state": "confirmed"},
        {"test": "tie_rate", "n_controls": 1, "n_controls_failed": 2},
    ]
    for each in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            Finding.objects.create(**{**good, "n_votes": 9, **each})
