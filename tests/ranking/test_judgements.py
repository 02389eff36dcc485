"""The export layout of judgements, read back."""

from __future__ import annotations

import pytest

from ranking.errors import BadInput
from ranking.filters import ExclusionReason, mask_of
from ranking.types import Criterion
from tests.ranking.judged import judgements, row


def test_a_vote_is_one_judgement_a_criterion() -> None:
    rows = [row(criterion="content", winner="tie"), row(winner="both_bad"), row(criterion="language")]
    assert [judgements(rows, each).ballots.outcome.tolist() for each in Criterion] == [[3], [2], [0]]


def test_people_and_messages_are_told_apart_by_their_pseudonyms() -> None:
    found = judgements([row(), row(username="jon"), row(prompt="p2")])
    assert found.ballots.user.tolist() == [0, 1, 0]
    assert found.prompts.tolist() == [0, 0, 1]
    assert (found.n, found.n_users) == (3, 2)


def test_what_speaks_against_votes_is_kept() -> None:
    found = judgements([row(exclusions=["guest", "rate"]), row()])
    assert found.reasons.tolist() == [mask_of([ExclusionReason.GUEST, ExclusionReason.RATE]), 0]


def test_a_moment_without_a_zone_is_utc() -> None:
    found = judgements([row(timestamp="1970-01-01T00:00:10"), row(timestamp="1970-01-01T01:00:10+01:00")])
    assert found.seconds.tolist() == [10.0, 10.0]


def test_models_that_no_chosen_judgement_names_are_gone() -> None:
    found = judgements([row(), row(model_b="z")])
    assert found.taken(found.prompts >= 0).ballots.models == ("x", "y", "z")
    assert found.taken(found.ballots.b == 2).ballots.models == ("x", "z")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("exclusions", ["because"]),
        ("exclusions", "guest"),
        ("timestamp", "yesterday"),
        ("username", None),
        ("turns", "many"),
        ("winner", "nobody"),
        ("model_b", "x"),
    ],
)
def test_a_bad_cell_is_named_by_line_and_column(column: str, value: object) -> None:
    with pytest.raises(BadInput) as refused:
        judgements([row(), row(**{column: value})])
    assert (refused.value.line, refused.value.column) == (2, column)


def test_a_column_that_is_missing_is_named() -> None:
    short = row()
    del short["prompt"]
    with pytest.raises(BadInput, match="column prompt: this column is missing"):
        judgements([short])
