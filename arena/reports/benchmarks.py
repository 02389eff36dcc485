"""Whether static benchmarks order the models as the votes do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from django.utils.translation import gettext_lazy as _

from arena.reports.base import Figure, Page, Report, Section, Source
from arena.selectors.benchmarks import has_scores, stored_benchmarks
from ranking.board import BoardResult, build_board
from ranking.correlation import Benchmarks, correlate, mean_ranks, study_models
from ranking.factors import trained_codes
from ranking.rank_scatter import rank_scatter
from ranking.reference import BOARD_SLUG, published_ratings
from ranking.selectors import board_tally, criteria_of
from ranking.tables import Table, Value
from ranking.tally import Matrix
from ranking.types import Criterion

COLUMNS = ("language", "criterion", "group", "models", "benchmarks", "rho", "rho_low", "rho_high")
FEWEST = 2  # models, and of the study's too
Ratings = dict[str, float]


@dataclass(frozen=True, slots=True)
class Compared:
    """A group of models, by name, and what they were measured on."""

    name: str
    benchmarks: Benchmarks
    models: tuple[str, ...]

    def of(self, ratings: Mapping[str, float]) -> Ratings:
        return {model: ratings[model] for model in self.models if model in ratings}


def build(source: Source) -> Report:
    stored = stored_benchmarks()
    ratings = {criterion: _ratings(result) for criterion, result in _results(source).items()}
    here = ratings[source.criterion]
    groups = {language: _groups(benchmarks, here) for language, benchmarks in stored.items()}
    if not source.tally.n_votes:
        return Report(reason=_("There are no votes yet: yours can be the first."))
    if not any(groups.values()):
        return Report(reason=_("Fewer than two models have both a rating and benchmark scores."))
    return Report(
        (
            _correlations(stored, ratings),
            *([_published(stored)] if source.board.slug == BOARD_SLUG else []),
            *(_ranks(language, found[0], here) for language, found in groups.items() if found),
        )
    )


def _results(source: Source) -> dict[Criterion, BoardResult]:
    """The board under each criterion that it holds."""
    return {
        each: source.result
        if each is source.criterion
        else build_board(board_tally(board=source.board, criterion=each), criterion=each)
        for each in criteria_of(source.board)
    }


def _ratings(result: BoardResult) -> Ratings:
    return {row.model: row.rating for row in result.ratings if row.rating is not None}


def _groups(benchmarks: Benchmarks, ratings: Mapping[str, float]) -> list[Compared]:
    """Who can be compared: the study's models where the board has them, and all that were measured on at least half of the benchmarks."""
    measured = tuple(model for model in ratings if _is_measured(benchmarks, model))
    of_study = study_models(measured) if len(trained_codes(measured)) >= FEWEST else ()
    groups = [Compared("study", benchmarks, of_study), Compared("measured", benchmarks, measured)]
    return [group for group in groups if len(group.models) >= FEWEST]


def _is_measured(benchmarks: Benchmarks, model: str) -> bool:
    try:
        scores = benchmarks.of([model])
    except KeyError:
        return False
    return 2 * int(np.isfinite(scores).sum()) >= len(benchmarks.tasks)


def _correlations(stored: Mapping[str, Benchmarks], ratings: Mapping[Criterion, Ratings]) -> Section:
    rows = [
        _row(language, criterion, group, found)
        for language, benchmarks in stored.items()
        for criterion, found in ratings.items()
        for group in _groups(benchmarks, found)
    ]
    return Section(
        title=_("Rank correlation"),
        text=_(
            "Spearman's correlation of the order by votes with the mean rank on a language's benchmarks: 1 is the same order, 0 none in common. "
            "Compared are models that were measured on at least half of the benchmarks, on those that all of them share."
        ),
        table=Table("correlations", COLUMNS, tuple(rows)),
    )


def _published(stored: Mapping[str, Benchmarks]) -> Section:
    rows = [
        _row(language, criterion, group, ratings)
        for language, benchmarks in stored.items()
        for criterion in Criterion
        for ratings in [{row.model: float(getattr(row, criterion.value)) for row in published_ratings()}]
        for group in _groups(benchmarks, ratings)[:1]
    ]
    return Section(
        title=_("Rank correlation of the published ratings"),
        text=_(
            "The ratings as the study published them, for the criteria whose votes it did not publish too."
        ),
        table=Table("published_correlations", COLUMNS, tuple(rows)),
    )


def _row(
    language: str, criterion: Criterion, group: Compared, ratings: Mapping[str, float]
) -> tuple[Value, ...]:
    found = correlate(group.benchmarks, group.of(ratings))
    ends = (found.rho, found.low, found.high)
    return (language, criterion.value, group.name, found.n_models, found.n_tasks, *ends)


def _ranks(language: str, group: Compared, ratings: Mapping[str, float]) -> Section:
    """The models of one comparison, best by votes first, with their ranks on both sides."""
    models = sorted(group.of(ratings), key=lambda model: -ratings[model])
    shared = _shared(group.benchmarks, models)
    by_votes = [
        int(rank) for rank in scipy.stats.rankdata([-ratings[model] for model in models], method="max")
    ]
    by_benchmarks = [int(rank) for rank in mean_ranks(shared)] if shared.size else []
    means = [float(mean) for mean in shared.mean(axis=1)] if shared.size else []
    nothing = [None] * len(models)
    columns: dict[str, Sequence[Value]] = {
        "model": models,
        "number": range(1, len(models) + 1),
        "vote_rank": by_votes,
        "benchmark_rank": by_benchmarks or nothing,
        "rating": [ratings[model] for model in models],
        "mean_score": means or nothing,
    }
    return Section(
        title=TITLES[language],
        text=_(
            "On the line both orders agree; above it the votes put a model higher than the benchmarks do."
        ),
        table=Table(f"ranks_{language}", tuple(columns), tuple(zip(*columns.values(), strict=True))),
        figure=Figure(
            "figures/rank_scatter.html",
            rank_scatter(models, by_benchmarks, by_votes) if by_benchmarks else None,
            _("Rank by votes against rank by benchmarks; the table below holds the same numbers."),
        ),
    )


def _shared(benchmarks: Benchmarks, models: Sequence[str]) -> Matrix:
    """The scores of *models* on the benchmarks that all of them were measured on."""
    scores = benchmarks.of(models)
    return scores[:, np.isfinite(scores).all(axis=0)]


TITLES = {"eu": _("Basque benchmarks"), "en": _("English benchmarks"), "es": _("Spanish benchmarks")}

PAGE = Page(
    slug="benchmarks",
    title=_("Votes and benchmarks"),
    lead=_("Whether static benchmarks put the models in the order in which people do."),
    build=build,
    offered=has_scores,
)
