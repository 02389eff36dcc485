"""A board's judgements as the export layout ``judgements`` tells them, as arrays: an analysis of a page is that of the file."""

from __future__ import annotations

from collections import Counter

import numpy as np
from django.db.models import FilteredRelation, Q, QuerySet
from django.db.models.functions import Coalesce, Extract, Length, Trim

from arena.exports.filters import Filters
from arena.exports.layouts import LAYOUTS
from arena.exports.suppression import suppressing
from arena.models import Campaign, Study, Turn, Vote
from arena.selectors.ballots import (
    EDUCATIONS,
    LEVELS,
    OUTCOMES,
    bits_against,
    models_of,
    reasons_of,
    turns_of,
)
from arena.selectors.columns import (
    Column,
    coded,
    hashed,
    identity,
    numbered,
    read_columns,
    real,
    whole,
    worded,
)
from arena.selectors.exports import battles_of, standing_against
from arena.types import Display
from inference.language import LANGUAGES, UNTOLD
from inference.models import Candidate
from ranking.ballots import Ballots
from ranking.judgements import Judgements, Words
from ranking.types import Criterion

_MEASURED = [*LANGUAGES, UNTOLD]
_DISPLAYS = [each.value for each in Display]


def waiting_studies() -> QuerySet[Study]:
    """Those that nobody computed yet, the oldest first."""
    return Study.objects.filter(finished_at=None).order_by("created_at", "pk")


def judgements_of_board(filters: Filters, criterion: Criterion) -> Judgements:
    """What :func:`ranking.judgements.read_judgements` reads from the file that an export by *filters* makes. Six queries, two of them by COPY.

    No text leaves the database.
    """
    votes = Vote.objects.filter(battle__in=battles_of(filters, LAYOUTS["judgements"]))
    campaigns = sorted(Campaign.objects.filter(board__slug=filters.board).values_list("slug", flat=True))
    read = _read(votes, criterion, campaigns)
    levels, educations = _declared(read)
    models, sides = models_of(
        np.concatenate([read["a"], read["b"]]), dict(Candidate.objects.values_list("pk", "code"))
    )
    n = len(read["vote"])
    against = standing_against(filters).filter(vote__battle__campaign__board__slug=filters.board)
    return Judgements(
        Ballots(models, sides[:n], sides[n:], read["outcome"], numbered(read["user"])[1]),
        reasons=reasons_of(read["vote"], bits_against(against)),
        seconds=read["seconds"],
        campaigns=worded(read["campaign"], campaigns),
        levels=levels,
        educations=educations,
        languages=worded(read["language"], _MEASURED),
        displays=worded(read["display"], _DISPLAYS),
        turns=turns_of(Turn.objects.filter(battle__vote__in=votes), read["battle"]),
        chars=read["chars"].astype(np.int64),
        prompts=np.unique(read["prompt"], return_inverse=True)[1].astype(np.int64),
    )


def _read(votes: QuerySet[Vote], criterion: Criterion, campaigns: list[str]) -> dict[str, Column]:
    joined = votes.annotate(
        judged=FilteredRelation("judgements", condition=Q(judgements__criterion=criterion.value)),
        first_turn=FilteredRelation("battle__turns", condition=Q(battle__turns__index=1)),
    )
    outcome = "winner" if criterion is Criterion.OVERALL else "judged__outcome"
    columns = {
        "vote": identity("pk"),
        "battle": identity("battle_id"),
        "user": identity("battle__participant_id"),
        "a": identity("battle__candidate_a_id"),
        "b": identity("battle__candidate_b_id"),
        "outcome": coded(outcome, OUTCOMES),
        "level": coded("language_level", LEVELS),
        "education": coded("education", EDUCATIONS),
        "seconds": real(Extract("created_at", "epoch")),
        "campaign": coded("battle__campaign__slug", campaigns),
        "display": coded("battle__display", _DISPLAYS),
        "language": coded("first_turn__language", _MEASURED),
        "chars": whole(Coalesce(Length("first_turn__text"), 0)),
        "prompt": hashed(Trim("first_turn__text")),
    }
    return read_columns(joined.order_by("created_at", "battle_id"), columns)


def _declared(read: dict[str, Column]) -> tuple[Words, Words]:
    """Levels and educations, as far as enough people share them."""
    places = len(EDUCATIONS) + 1
    cell = (read["level"] % (len(LEVELS) + 1)) * places + read["education"] % places  # unknown ones come last
    _, user = numbered(read["user"])
    pairs = np.unique(cell.astype(np.int64) * (len(user) + 1) + user) // (len(user) + 1)
    people = Counter({_words(int(each), places): n for each, n in Counter(pairs.tolist()).items()})
    stands = suppressing(people)
    table = np.array(
        [stands(*_words(each, places)) for each in range((len(LEVELS) + 1) * places)], dtype=np.str_
    )
    return table[cell, 0], table[cell, 1]


def _words(cell: int, places: int) -> tuple[str, str]:
    return [*LEVELS, ""][cell // places], [*EDUCATIONS, ""][cell % places]
