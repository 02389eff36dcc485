"""Who met whom and who won: battles and win rates of each pair."""

from __future__ import annotations

import numpy as np
from django.utils.translation import gettext_lazy as _

from arena.reports.base import Figure, Page, Report, Section, Source
from ranking.heatmap import heat_map
from ranking.tables import Table
from ranking.tally import Tally


def build(source: Source) -> Report:
    tally = in_order(source)
    if not tally.n_votes:
        return Report(reason=_("There are no votes yet: yours can be the first."))
    met = _met(tally)
    share = np.divide(tally.points(), met, out=np.full(met.shape, np.nan), where=met > 0)
    rates = [[f"{100 * each:.0f}" if np.isfinite(each) else "" for each in row] for row in share]
    counts = [[str(int(each)) for each in row] for row in met]
    fewest, most = _ends(met)
    middle = (fewest + most) / 2
    return Report(
        (
            Section(
                title=_("Win rates"),
                text=_("Per cent of a row's points against each column; a tie is half a point each."),
                table=pair_table(tally),
                figure=Figure(
                    "figures/heat_map.html",
                    heat_map(tally.models, share, rates, middle=0.5, reach=0.5),
                    _("Win rate of each pair; the table below holds the same numbers."),
                ),
            ),
            Section(
                title=_("Battles"),
                text=_("How often each pair met."),
                table=Table(
                    "battles",
                    ("model", "battles", "opponents"),
                    tuple(
                        (model, int(row.sum()), int((row > 0).sum()))
                        for model, row in zip(tally.models, met, strict=True)
                    ),
                ),
                figure=Figure(
                    "figures/heat_map.html",
                    heat_map(
                        tally.models,
                        np.where(met > 0, met, np.nan),
                        counts,
                        middle=middle,
                        reach=max(middle - fewest, 1),
                    ),
                    _("Battles of each pair; the first table holds the same numbers."),
                ),
            ),
        )
    )


def in_order(source: Source) -> Tally:
    """The tally, models as the board ranks them."""
    return source.tally.subset([row.model for row in source.result.ratings])


def _met(tally: Tally) -> np.ndarray:
    points = tally.points()
    return points + points.T


def _ends(met: np.ndarray) -> tuple[float, float]:
    pairs = met[np.triu_indices(len(met), 1)]
    return float(pairs.min()), float(pairs.max())


def pair_table(tally: Tally) -> Table:
    """A row for each pair that has met: ``pairs``."""
    wins, ties = tally.wins(), tally.ties()
    rows = [
        (
            a,
            b,
            int(wins[i, j] + wins[j, i] + ties[i, j]),
            int(wins[i, j]),
            int(ties[i, j]),
            int(wins[j, i]),
            float((wins[i, j] + ties[i, j] / 2) / (wins[i, j] + wins[j, i] + ties[i, j])),
        )
        for i, a in enumerate(tally.models)
        for j, b in enumerate(tally.models)
        if i < j and wins[i, j] + wins[j, i] + ties[i, j]
    ]
    return Table("pairs", ("model", "opponent", "battles", "wins", "ties", "losses", "win_rate"), tuple(rows))


PAGE = Page(
    slug="pairs",
    title=_("Pair by pair"),
    lead=_("Who met whom, how often, and who won."),
    build=build,
)
