"""Published boards: whole, checkable, and never changed."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from django.db import IntegrityError, transaction

from ranking.ballots import Ballots
from ranking.models import Snapshot
from ranking.services.snapshots import Cut, checksum, publish_snapshot, store_report, tally_checksum
from ranking.tally import Tally
from ranking.types import Criterion, Outcome, TieRule
from ranking.version import code_version
from tests.ranking.builders import make_board, make_tally
from tests.ranking.crowds import make_ballots

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def drawn_ballots(n: int, *, users: int, seed: int = 5) -> Ballots:
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 4, n)
    b = (a + rng.integers(1, 4, n)) % 4
    return Ballots(("w", "x", "y", "z"), a, b, rng.integers(0, 4, n), rng.integers(0, users, n))


def published(n: int = 400, *, users: int = 60, ties: TieRule = TieRule.HALF) -> Snapshot:
    cut = Cut(drawn_ballots(n, users=users), n_excluded=7, filters="guest", at=NOON)
    return publish_snapshot(board=make_board(), criterion=Criterion.OVERALL, cut=cut, ties=ties)


def test_a_snapshot_says_how_it_was_made_and_survives_the_database_to_the_last_digit() -> None:
    made = published()
    stored = Snapshot.objects.select_related("board").get(pk=made.pk)
    assert (stored.payload, stored.covariance) == (made.payload, made.covariance)
    assert (stored.ties, stored.filters, stored.cluster, stored.cap) == ("half", "guest", "participant", 3)
    assert (stored.n_votes, stored.n_excluded, stored.cut_at) == (400, 7, NOON)
    assert stored.code_version == code_version()
    assert stored.payload["cluster"] == "participant"
    assert checksum(stored) == stored.checksum
    assert str(stored).startswith(f"{stored.board_id} overall 20")


def test_ratings_and_covariance_belong_together() -> None:
    made = published()
    place = {model: index for index, model in enumerate(made.covariance["models"])}
    for row in made.payload["ratings"]:
        strength = made.covariance["strengths"][place[row["model"]]]
        assert row["rating"] == pytest.approx(1000 + 400 / np.log(10) * strength)
    assert np.array(made.covariance["matrix"]).sum(axis=0) == pytest.approx(np.zeros(4), abs=1e-9)
    assert made.covariance["freedom"] == 59


def test_a_board_without_ratings_is_published_as_such() -> None:
    nobody = np.zeros(0, dtype=np.int64)
    cut = Cut(Ballots((), nobody, nobody, nobody, nobody), n_excluded=0, filters="none", at=NOON)
    made = publish_snapshot(board=make_board(), criterion=Criterion.CONTENT, cut=cut)
    assert (made.payload["status"], made.covariance["models"]) == ("empty", [])


def test_a_board_too_steep_for_numbers_is_published_without_strengths() -> None:
    ballots = make_ballots("ane: x>y y>x", "jon: x>y y>x")
    uneven = ballots.reweighted(np.array([1.0, 1e-20])[ballots.user])
    cut = Cut(uneven, n_excluded=0, filters="none", at=NOON)
    made = publish_snapshot(board=make_board(), criterion=Criterion.OVERALL, cut=cut, cap=None)
    assert made.payload["status"] == "unbounded"
    assert made.covariance == {"models": [], "strengths": [], "matrix": [], "freedom": None}
    assert checksum(Snapshot.objects.select_related("board").get()) == made.checksum


def test_a_report_is_called_by_its_snapshot_name_and_part() -> None:
    made = published()
    stored = store_report(snapshot=made, report="slices", part="level", numbers=None, failure="Timeout")
    assert str(stored) == f"{made.pk} slices level"


def test_the_database_refuses_to_change_or_delete_what_was_published() -> None:
    made = published()
    for change in (
        lambda: Snapshot.objects.filter(pk=made.pk).update(n_votes=1),
        made.delete,
        made.save,
    ):
        with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
            change()
    assert Snapshot.objects.get().n_votes == 400


def test_one_vote_more_is_another_checksum_and_another_order_is_not() -> None:
    tally = make_tally("x>y*3", "y=z")
    assert tally_checksum(tally) == tally_checksum(tally.subset(["z", "x", "y"]))
    assert tally_checksum(tally) == tally_checksum(tally.merged(Tally.empty(["new"])))
    assert tally_checksum(tally) != tally_checksum(tally.moved("x", "y", Outcome.A_BETTER))
    assert tally_checksum(tally) != tally_checksum(tally.swapped())


def test_tampering_shows() -> None:
    made = published()
    made.payload["ratings"][0]["rating"] += 1
    assert checksum(made) != made.checksum
