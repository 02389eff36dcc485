"""Reviews that need a database of their own: of boards without a crowd, and two at once."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from arena.models import Exclusion
from arena.services import boards, reviews
from ranking.models import Board
from ranking.types import BoardKind
from tests.arena.builders import make_campaign
from tests.arena.test_holds import N_VOTES, TOTAL, n_counted, one_clicker


@pytest.mark.django_db
def test_boards_that_rate_nobody_are_reviewed_without_a_finding() -> None:
    campaign = make_campaign()
    Board.objects.create(slug="kanpokoa", name="Kanpokoa", kind=BoardKind.IMPORTED.value)
    assert reviews.review_all() == {campaign.board.slug: reviews.Reviewed(0, 0, 0, 0, 0)}


@pytest.mark.django_db(transaction=True)
def test_two_reviews_at_once_hold_once() -> None:
    campaign, _people = one_clicker()
    held: list[int] = []

    def run() -> None:
        try:
            held.append(reviews.review(campaign.board).held)
        finally:
            connection.close()

    both = [threading.Thread(target=run) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert sorted(held) == [0, 1]
    assert n_counted(campaign) == TOTAL - N_VOTES
    assert Exclusion.objects.filter(lifted_at=None).count() == N_VOTES
    assert boards.rebuild(board=campaign.board, check=True)
