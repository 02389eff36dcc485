"""How sure the ratings are: one by one, and all at once."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from arena.reports.base import Figure, Page, Report, Section, Source
from arena.reports.ratings import estimate_of, why_unrated
from ranking.board import CENTRE, SCALE
from ranking.estimates import Estimate
from ranking.plot import Interval, interval_plot
from ranking.ranks import Ranks
from ranking.simultaneous import rank_probabilities, simultaneous_ranks, simultaneous_ratings
from ranking.tables import Table, Value
from ranking.tally import Matrix

SEED = 2025
"""The simulations start from it at every call: the same votes give the same page."""
COLUMNS = (
    *("model", "tier", "rating", "low", "high", "simultaneous_low", "simultaneous_high", "rank_low"),
    *("rank_high", "simultaneous_rank_low", "simultaneous_rank_high", "first", "top_three"),
)


def build(source: Source) -> Report:
    estimate = estimate_of(source.tally)
    if not len(estimate.rated):
        return Report(reason=why_unrated(source.result))
    models = [source.tally.models[index] for index in estimate.rated]
    wide = dict(zip(models, _simultaneous(estimate), strict=True))
    return Report(
        (
            Section(
                title=_("Intervals"),
                text=_(
                    "Thick: each rating's interval by itself, at 95 per cent. Thin: intervals that hold all ratings at once with that probability. "
                    "The shading changes with the tier."
                ),
                table=_table(source, models, wide, estimate),
                figure=Figure(
                    "figures/intervals.html",
                    interval_plot(source.result, wide),
                    _("Ratings with both intervals; the table below holds the same numbers."),
                ),
            ),
        )
    )


def _simultaneous(estimate: Estimate) -> list[Interval]:
    found = simultaneous_ratings(estimate.strengths, estimate.covariance, seed=SEED)
    low, high = CENTRE + SCALE * found.low, CENTRE + SCALE * found.high
    return [(float(a), float(b)) for a, b in zip(low, high, strict=True)]


def _table(source: Source, models: list[str], wide: dict[str, Interval], estimate: Estimate) -> Table:
    place = {model: index for index, model in enumerate(models)}
    ranks = simultaneous_ranks(estimate.strengths, estimate.covariance, seed=SEED)
    chances = rank_probabilities(estimate.strengths, estimate.covariance, seed=SEED)
    rows: list[tuple[Value, ...]] = [
        (
            *(row.model, row.tier, row.rating, row.low, row.high, *wide[row.model]),
            *(row.rank_low, row.rank_high, *_all_at_once(ranks, place[row.model])),
            *_chances(chances, place[row.model]),
        )
        for row in source.result.ratings
        if row.model in place
    ]
    return Table("intervals", COLUMNS, tuple(rows))


def _all_at_once(ranks: tuple[Ranks, Ranks], index: int) -> tuple[int, int]:
    return int(ranks[0][index]), int(ranks[1][index])


def _chances(chances: Matrix, index: int) -> tuple[float, float]:
    """Of rank 1, and of rank 3 or better, which two models have for certain."""
    return float(chances[index, 0]), float(chances[index, min(3, len(chances)) - 1])


PAGE = Page(
    slug="forest",
    title=_("How sure are the ratings?"),
    lead=_("Each rating with its interval, and what holds of all of them at once."),
    build=build,
)
