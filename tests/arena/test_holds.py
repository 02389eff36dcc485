"""Votes that are set aside until staff decide, on a real database: the drill, and the way back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.plugin import DjangoDbBlocker

from arena.models import Campaign, Exclusion, Finding, Participant, User, Vote
from arena.selectors.ballots import vote_table
from arena.selectors.judgements import Judgements
from arena.services import boards, exclusions, reviews
from arena.services.people import give_consent
from arena.services.votes import cast_vote
from arena.types import FindingState
from ranking.filters import ExclusionReason, FilterSet, apply_filters
from ranking.models import Snapshot
from ranking.selectors import load_tally
from ranking.types import Criterion, Outcome
from tests.arena.builders import make_candidate, ready_battle
from tests.arena.crowds import store
from tests.ranking.volunteers import ALWAYS_LEFT, HONEST, volunteers
from tests.worlds import made_once

pytestmark = pytest.mark.django_db
N_VOTES, N_HONEST = 25, 31
TOTAL = N_VOTES * (N_HONEST + 1)


def one_clicker() -> tuple[Campaign, list[Participant]]:
    """Volunteers of whom the first always says that A is better."""
    return store(volunteers([ALWAYS_LEFT, *[HONEST] * N_HONEST], N_VOTES, np.random.default_rng(4)))


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[list[UUID]]:
    with made_once(django_db_blocker, lambda: [each.pk for each in one_clicker()[1]]) as made:
        yield made


@pytest.fixture
def crowd(world: list[UUID]) -> tuple[Campaign, list[Participant]]:
    people = Participant.objects.in_bulk(world)
    return Campaign.objects.select_related("board").get(), [people[each] for each in world]


def n_counted(campaign: Campaign) -> int:
    return load_tally(board_id=campaign.board_id, criterion=Criterion.OVERALL).n_votes


def cited(campaign: Campaign) -> Snapshot:
    boards.publish(campaign.board)
    return Snapshot.objects.filter(board=campaign.board, criterion="overall").latest("created_at")


def open_findings(participant: Participant) -> list[Finding]:
    return [*participant.findings.filter(state=FindingState.OPEN.value)]


def test_a_published_board_holds_no_vote_that_cannot_be_chance(
    crowd: tuple[Campaign, list[Participant]],
) -> None:
    campaign, people = crowd
    snapshot = cited(campaign)
    assert n_counted(campaign) == TOTAL - N_VOTES
    assert snapshot.n_votes == TOTAL - N_VOTES
    people[0].refresh_from_db()
    assert people[0].held_at is not None
    assert Participant.objects.filter(held_at__isnull=False).count() == 1
    said = Exclusion.objects.filter(lifted_at=None)
    assert set(said.values_list("reason", "source")) == {("held", "statistics")}
    assert not said.filter(staff__isnull=False).exists()
    assert said.count() == N_VOTES
    votes = Vote.objects.filter(participant=people[0])
    assert set(votes.values_list("counted", "credited")) == {(False, True)}
    assert boards.rebuild(board=campaign.board, check=True)


def test_what_is_held_is_counted_as_such_and_a_filter_admits_exactly_it(
    crowd: tuple[Campaign, list[Participant]],
) -> None:
    campaign, _people = crowd
    reviews.review(campaign.board)
    reasons = vote_table(campaign.board).reasons
    told = {each.reason: each for each in apply_filters(reasons, FilterSet.strictest()).reasons}
    assert (told[ExclusionReason.HELD].votes, told[ExclusionReason.HELD].only) == (N_VOTES, N_VOTES)
    admitted = apply_filters(reasons, FilterSet.strictest().admitting(ExclusionReason.HELD))
    assert admitted.n_counted == TOTAL


def test_a_repeated_review_holds_nobody_anew(crowd: tuple[Campaign, list[Participant]]) -> None:
    assert reviews.review(crowd[0].board).held == 1
    before = [*Exclusion.objects.order_by("pk").values_list()]
    assert reviews.review(crowd[0].board).held == 0
    assert [*Exclusion.objects.order_by("pk").values_list()] == before


def test_later_votes_are_held_too_and_stay_credited(crowd: tuple[Campaign, list[Participant]]) -> None:
    campaign, people = crowd
    reviews.review(campaign.board)
    make_candidate(), make_candidate()
    who = give_consent(participant_id=people[0].pk, campaign=campaign, language="eu", is_14_or_older=True)
    vote = cast_vote(
        battle_id=ready_battle(who).pk,
        participant=who,
        judgements=Judgements(Outcome.A_BETTER, Outcome.TIE),
    )
    assert (vote.counted, vote.credited) == (False, True)
    assert {each.reason for each in vote.exclusions.all()} == {"held"}


def test_dismissing_all_that_is_open_lets_the_votes_count_again(
    crowd: tuple[Campaign, list[Participant]],
) -> None:
    campaign, people = crowd
    reviews.review(campaign.board)
    found = open_findings(people[0])
    assert found
    extra = Finding.objects.create(
        board=campaign.board,
        participant=people[0],
        test="tie_rate",
        statistic=-3,
        p=0.01,
        q=0.05,
        n_votes=N_VOTES,
    )
    for each in found:
        reviews.dismiss(finding_id=each.pk, staff=None)
    if extra.pk not in {each.pk for each in found}:
        assert n_counted(campaign) == TOTAL - N_VOTES
        reviews.dismiss(finding_id=extra.pk, staff=None)
    assert n_counted(campaign) == TOTAL
    people[0].refresh_from_db()
    assert people[0].held_at is None
    assert not Exclusion.objects.filter(lifted_at=None).exists()
    assert reviews.review(campaign.board).held == 0
    assert n_counted(campaign) == TOTAL
    assert boards.rebuild(board=campaign.board, check=True)


def test_confirming_turns_the_hold_into_a_flag_and_nothing_counts_in_between(
    crowd: tuple[Campaign, list[Participant]],
) -> None:
    campaign, people = crowd
    reviews.review(campaign.board)
    staff = User.objects.create_user("langile")
    reviews.confirm(finding_id=open_findings(people[0])[0].pk, staff=staff)
    standing = Exclusion.objects.filter(lifted_at=None)
    assert set(standing.values_list("reason", "staff")) == {("flagged_user", staff.pk)}
    assert set(people[0].votes.values_list("counted", "credited")) == {(False, False)}
    assert n_counted(campaign) == TOTAL - N_VOTES
    people[0].refresh_from_db()
    assert people[0].held_at is None
    assert people[0].flagged_at is not None
    assert reviews.review(campaign.board).held == 0


def test_who_is_acquitted_counts_at_once_and_is_not_held_again(
    crowd: tuple[Campaign, list[Participant]],
) -> None:
    campaign, people = crowd
    reviews.review(campaign.board)
    assert reviews.acquit(participant=people[0], staff=None) == N_VOTES
    assert n_counted(campaign) == TOTAL
    assert reviews.review(campaign.board).held == 0
    assert n_counted(campaign) == TOTAL


def test_a_hold_that_was_cut_off_is_ended_by_the_next_review(
    crowd: tuple[Campaign, list[Participant]], monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign, people = crowd
    with monkeypatch.context() as patch:
        patch.setattr(exclusions, "exclude", _cut_off)
        with pytest.raises(KeyboardInterrupt):
            reviews.review(campaign.board)
    people[0].refresh_from_db()
    assert people[0].held_at is not None
    assert n_counted(campaign) == TOTAL
    assert reviews.review(campaign.board).held == 0
    assert n_counted(campaign) == TOTAL - N_VOTES


def _cut_off(**_what: object) -> Vote:
    raise KeyboardInterrupt


def test_who_was_dismissed_while_the_votes_were_set_aside_counts_in_the_end(
    crowd: tuple[Campaign, list[Participant]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Staff may decide at any moment: what is true at the end is what the mark says."""
    campaign, people = crowd
    exclude = exclusions.exclude
    decided: list[bool] = []

    def meanwhile(**what: Any) -> Vote:
        if not decided:
            decided.append(True)
            for each in open_findings(people[0]):
                reviews.dismiss(finding_id=each.pk, staff=None)
        return exclude(**what)

    monkeypatch.setattr(exclusions, "exclude", meanwhile)
    reviews.review(campaign.board)
    assert n_counted(campaign) == TOTAL
    assert not Exclusion.objects.filter(lifted_at=None).exists()


def test_staff_see_who_is_held_and_let_them_count(
    crowd: tuple[Campaign, list[Participant]], admin_client: Client
) -> None:
    campaign, people = crowd
    reviews.review(campaign.board)
    address = reverse("admin:arena_finding_changelist")
    page = admin_client.get(address, {"participant__held_at__isempty": "0"}).content.decode()
    assert str(people[0].pk) in page
    chosen = [str(each.pk) for each in open_findings(people[0])]
    admin_client.post(address, {"action": "dismiss", "_selected_action": chosen})
    assert n_counted(campaign) == TOTAL
    reviews.review(campaign.board)
    assert n_counted(campaign) == TOTAL


def test_staff_acquit_on_the_volunteers_own_page(
    crowd: tuple[Campaign, list[Participant]], admin_client: Client
) -> None:
    campaign, people = crowd
    reviews.review(campaign.board)
    address = reverse("admin:arena_participant_changelist")
    assert str(people[0].pk) in admin_client.get(address, {"held_at__isempty": "0"}).content.decode()
    admin_client.post(address, {"action": "unflag", "_selected_action": [str(people[0].pk)]})
    assert n_counted(campaign) == TOTAL
