"""Analyses of a part of the judgements: the same numbers from an exported file and on the site's pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from ranking.agreement import Agreement, agreement
from ranking.board import INDEPENDENT, BoardResult, build_board_from_ballots
from ranking.contrasts import (
    contrasts_by_backbone,
    effects_table,
    fits_of,
    lack_of_fit_table,
    main_contrasts,
    told,
)
from ranking.errors import NoFit, NotConverged
from ranking.factors import trained_codes
from ranking.findings import agreement_table, heterogeneity_table, ratings_table, slices_table
from ranking.judgements import Judgements, Words
from ranking.numbers import Numbers
from ranking.prompts import prompt_statistics
from ranking.selection import LENGTHS, TURNS, UNDECLARED, UNMEASURED, length_band, turns_band
from ranking.slices import compare_slices
from ranking.tables import Table
from ranking.types import Criterion, Outcome

SEED = 20251104
"""Of the bootstrap of agreement."""
VOTER = "username"
_FEWEST_CODES = 2
_MOST_SLICES = 24
_EARLIER = "earlier"

Places = NDArray[np.int64]
Cut = tuple[tuple[str, ...], Places]
"""Names of slices, and each judgement's index in them."""


def _by_words(column: Callable[[Judgements], Words], nothing: str) -> Callable[[Judgements], Cut]:
    def cut(judgements: Judgements) -> Cut:
        names, place = np.unique(column(judgements), return_inverse=True)
        return tuple(str(name) or nothing for name in names), place.astype(np.int64)

    return cut


def _by_week(judgements: Judgements) -> Cut:
    """ISO weeks of UTC; where there are many, all before the last ones together."""
    days, day = np.unique(judgements.seconds // 86400, return_inverse=True)
    weeks = [_week(datetime.fromtimestamp(float(each) * 86400, UTC)) for each in days]
    names = sorted(set(weeks))
    place = np.array([names.index(week) for week in weeks], dtype=np.int64)[day]
    early = max(len(names) - _MOST_SLICES + 1, 0)
    kept = (_EARLIER, *names[early:]) if early else tuple(names)
    return kept, np.maximum(place - early + 1, 0) if early else place


def _week(moment: datetime) -> str:
    year, week, _day = moment.isocalendar()
    return f"{year}-W{week:02}"


WAYS: dict[str, Callable[[Judgements], Cut]] = {
    "level": _by_words(lambda each: each.levels, UNDECLARED),
    "education": _by_words(lambda each: each.educations, UNDECLARED),
    "language": _by_words(lambda each: each.languages, UNMEASURED),
    "length": lambda each: (LENGTHS, length_band(each.chars)),
    "turns": lambda each: (TURNS, turns_band(each.turns)),
    "display": _by_words(lambda each: each.displays, UNMEASURED),
    "campaign": _by_words(lambda each: each.campaigns, UNMEASURED),
    "week": _by_week,
}
"""How judgements can be cut into slices."""
DEFAULT_WAY = "level"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of an analysis beside its judgements: the criterion, and by what slices are cut."""

    criterion: Criterion = Criterion.OVERALL
    by: str = DEFAULT_WAY


def board_of_judgements(judgements: Judgements, criterion: Criterion) -> BoardResult:
    """Half a win a tie, no cap, 95 % intervals by voter; by vote where one voted alone, as that says nothing of how voters differ."""
    cluster = VOTER if judgements.n_users > 1 else INDEPENDENT
    return build_board_from_ballots(judgements.ballots, criterion=criterion, cluster=cluster)


def board(judgements: Judgements, asked: Asked) -> Numbers:
    """The table ``board``, as ``--format json`` names its columns."""
    found = board_of_judgements(judgements, asked.criterion)
    columns = (
        *("model", "tier", "rating", "low", "high", "rank", "rank_low", "rank_high"),
        *("n", "wins", "ties", "losses", "status"),
    )
    rows = tuple(tuple(row[name] for name in columns) for row in found.as_json()["ratings"])
    return Numbers((Table("board", columns, rows),), _size(judgements) | {"status": found.status.value})


def factors(judgements: Judgements, asked: Asked) -> Numbers:
    """The tables ``effects``, ``effects_by_backbone`` and ``lack_of_fit``, as far as the votes tell; the errors are those of single votes."""
    tally = judgements.ballots.tally()
    rated = [
        row.model
        for row in board_of_judgements(judgements, asked.criterion).ratings
        if row.rating is not None
    ]
    codes = trained_codes(rated)
    facts = _size(judgements) | {"recipes": len(codes)}
    fits = fits_of(tally.subset(rated), codes) if len(codes) >= _FEWEST_CODES else {}
    if "main" not in fits:
        return Numbers(facts=facts)
    tables = [effects_table("effects", told(fits["main"], main_contrasts(codes)))]
    if "backbone_corpus" in fits:
        by_backbone = told(fits["backbone_corpus"], contrasts_by_backbone(codes))
        tables.append(effects_table("effects_by_backbone", by_backbone))
    return Numbers((*tables, lack_of_fit_table(fits)), facts)


def slices(judgements: Judgements, asked: Asked) -> Numbers:
    """The tables ``slices``, and where the whole has ratings ``heterogeneity`` and ``ratings``."""
    names, place = WAYS[asked.by](judgements)
    facts = _size(judgements) | {"by": asked.by}
    try:
        found = compare_slices(judgements.ballots, place, names)
    except (NoFit, NotConverged):
        return Numbers(facts=facts | {"rated": False})
    rated = found.status.has_rating
    tables = (slices_table(found), *((heterogeneity_table(found), ratings_table(found)) if rated else ()))
    return Numbers(tables, facts | {"rated": rated, "tested": found.heterogeneity is not None})


def agreements(judgements: Judgements, asked: Asked) -> Numbers:
    """The tables ``agreement`` and ``agreed_on``: several voters on the same pair and the same single message."""
    single = judgements.turns == 1
    part = judgements.ballots.take(single)
    a, b, m = part.a.astype(np.int64), part.b.astype(np.int64), len(part.models)
    item = (judgements.prompts[single] * m + np.minimum(a, b)) * m + np.maximum(a, b)
    outcome = part.outcome.astype(np.int64)
    turned = (a > b) & (outcome < Outcome.TIE.place)
    found = agreement(item, part.user, np.where(turned, 1 - outcome, outcome), seed=SEED)
    facts = _size(judgements) | {"agreement": found.status.value}
    return Numbers((agreement_table(found), _agreed_on(found)), facts)


def prompts(judgements: Judgements, asked: Asked) -> Numbers:
    """How long first messages are, in which language, and how many messages a battle has; see :mod:`ranking.prompts`."""
    return Numbers(prompt_statistics(judgements), _size(judgements))


ANALYSES: Mapping[str, Callable[[Judgements, Asked], Numbers]] = {
    "board": board,
    "factors": factors,
    "slices": slices,
    "agreement": agreements,
    "prompts": prompts,
}


def analyse(name: str, judgements: Judgements, asked: Asked) -> Numbers:
    """One of :data:`ANALYSES`; of no judgements at all, that there are none."""
    return ANALYSES[name](judgements, asked) if judgements.n else Numbers(facts=_size(judgements))


def _size(judgements: Judgements) -> dict[str, str | int | float | bool | None]:
    return {"votes": judgements.n, "users": judgements.n_users}


def _agreed_on(found: Agreement) -> Table:
    columns = ("items", "judgements", "single", "repeated")
    return Table(
        "agreed_on", columns, ((found.n_items, found.n_judgements, found.n_single, found.n_repeated),)
    )
