"""What the ratings expect of each pair, held against the votes."""

from __future__ import annotations

import numpy as np
from django.utils.translation import gettext_lazy as _

from arena.reports.base import Figure, Page, Report, Section, Source
from arena.reports.ratings import estimate_of, why_unrated
from ranking.errors import NotConverged, UnboundedTally
from ranking.fit import Fit, fit_bradley_terry
from ranking.heatmap import heat_map
from ranking.predict import Calibration, Prediction, calibrate, predict
from ranking.rao_kupper import TieFit, fit_rao_kupper
from ranking.scatter import Spot, scatter
from ranking.tables import Table, Value
from ranking.tally import Tally

REACH = 1.96
"""How many standard errors a point's bar reaches on both sides."""
_BINS = ("bin", "votes", "predicted", "observed", "standard_error")
_PAIRS = (
    *("model", "opponent", "battles", "wins", "ties", "losses"),
    *("predicted_win", "predicted_tie", "predicted_loss", "z"),
)
_LACK = ("tie_rule", "votes", "dispersion", "chi_square", "degrees", "p_value")


def build(source: Source) -> Report:
    estimate = estimate_of(source.tally)
    if not len(estimate.rated):
        return Report(reason=why_unrated(source.result))
    rated = {source.tally.models[index] for index in estimate.rated}
    tally = source.tally.subset([row.model for row in source.result.ratings if row.model in rated])
    fit = fit_bradley_terry(tally)
    fitted: list[tuple[Fit | TieFit, Calibration]] = [(fit, calibrate(tally, fit))]
    with_ties = _fit_with_ties(tally)
    if with_ties is None:
        reason = _("There are too few wins beside the ties to predict wins, ties and losses apart.")
        return Report((_calibration(fitted[0][1]), _lack_of_fit(tally, fitted)), reason)
    fitted.append((with_ties, calibrate(tally, with_ties)))
    pairs = _pairs(tally, predict(with_ties), fitted[1][1])
    return Report((_calibration(fitted[0][1]), pairs, _lack_of_fit(tally, fitted)))


def _fit_with_ties(tally: Tally) -> TieFit | None:
    """Rao and Kupper's fit, where the votes allow one."""
    try:
        return fit_rao_kupper(tally)
    except (NotConverged, UnboundedTally):
        return None


def _calibration(found: Calibration) -> Section:
    spots = [
        Spot(
            each.predicted,
            each.observed,
            each.observed - REACH * each.standard_error,
            each.observed + REACH * each.standard_error,
        )
        for each in found.bins
    ]
    rows = tuple(
        (place, each.n, each.predicted, each.observed, each.standard_error)
        for place, each in enumerate(found.bins, start=1)
    )
    return Section(
        title=_("Calibration"),
        text=_(
            "Pairs of about the same expectation together, seen from the favourite's side: points a vote, a tie as half a point. "
            "Bars reach 1.96 standard errors; on the line, ratings promise what votes keep."
        ),
        table=Table("calibration", _BINS, rows),
        figure=Figure(
            "figures/scatter.html",
            scatter(spots, x_title=_("Predicted"), y_title=_("Observed"), diagonal=True),
            _("Observed against predicted points; the table below holds the same numbers."),
        ),
    )


def _pairs(tally: Tally, prediction: Prediction, found: Calibration) -> Section:
    texts = [[f"{100 * each:.0f}" for each in row] for row in prediction.win]
    equals = float(prediction.win[0, 0])
    return Section(
        title=_("Wins, ties and losses"),
        text=_(
            "Per cent of votes that a row is expected to win against each column, by Rao and Kupper's model of ties; the shade is the distance "
            "from a match of equals. In the table, z counts the standard deviations between the points that a pair made and those expected."
        ),
        table=_pair_table(tally, prediction, found),
        figure=Figure(
            "figures/heat_map.html",
            heat_map(tally.models, prediction.win, texts, middle=equals, reach=0.5),
            _("Predicted probability to win of each pair; the table below holds the same numbers."),
        ),
    )


def _pair_table(tally: Tally, prediction: Prediction, found: Calibration) -> Table:
    wins, ties, z = tally.wins(), tally.ties(), found.residuals
    rows: list[tuple[Value, ...]] = [
        (
            *(tally.models[i], tally.models[j], int(wins[i, j] + wins[j, i] + ties[i, j])),
            *(int(wins[i, j]), int(ties[i, j]), int(wins[j, i])),
            *(float(prediction.win[i, j]), float(prediction.tie[i, j]), float(prediction.loss[i, j])),
            float(z[i, j]) if np.isfinite(z[i, j]) else None,
        )
        for i, j in zip(*np.triu_indices(len(tally.models), 1), strict=True)
    ]
    return Table("predictions", _PAIRS, tuple(rows))


def _lack_of_fit(tally: Tally, fitted: list[tuple[Fit | TieFit, Calibration]]) -> Section:
    rows = tuple(
        (str(fit.ties), tally.n_votes, each.dispersion, each.chi_square, each.degrees, each.p_value)
        for fit, each in fitted
    )
    return Section(
        title=_("Lack of fit"),
        text=_(
            "How far all pairs together are from what one strength a model can explain; a small p says that the votes hold more than that. "
            "The chi-square is rough where most pairs met fewer than five times."
        ),
        table=Table("lack_of_fit", _LACK, rows),
    )


PAGE = Page(
    slug="predicted",
    title=_("Predicted and observed"),
    lead=_("What the ratings expect of each pair, and what the votes said."),
    build=build,
)
