"""Findings as tables of plain values."""

from __future__ import annotations

from ranking.agreement import Agreement, Alpha
from ranking.slices import SliceReport, SliceStatus
from ranking.tables import Table


def slices_table(found: SliceReport) -> Table:
    return Table(
        "slices",
        ("slice", "status", "votes", "users"),
        tuple((each.name, each.status.value, each.n_votes, each.n_users) for each in found.slices),
    )


def heterogeneity_table(found: SliceReport) -> Table:
    test = found.heterogeneity
    compared = sum(each.status is SliceStatus.OK for each in found.slices)
    row = (
        (len(test.slices), test.wald, test.df, test.df_voters, test.p, found.spread)
        if test
        else (compared, None, None, None, None, found.spread)
    )
    columns = ("compared", "wald", "degrees", "degrees_voters", "p_value", "spread")
    return Table("heterogeneity", columns, (row,))


def ratings_table(found: SliceReport) -> Table:
    rows = tuple(
        (
            *(row.model, each.name, row.rating, row.low, row.high),
            *(row.shrunk, row.shrunk_low, row.shrunk_high),
        )
        for each in found.slices
        for row in each.ratings
    )
    columns = ("model", "slice", "rating", "low", "high", "shrunk", "shrunk_low", "shrunk_high")
    return Table("ratings", columns, rows)


def agreement_table(found: Agreement, name: str = "agreement") -> Table:
    rows = (("nominal", *_alpha(found.nominal)), ("ordinal", *_alpha(found.ordinal)))
    return Table(name, ("metric", "alpha", "low", "high"), rows)


def _alpha(found: Alpha | None) -> tuple[float | None, float | None, float | None]:
    return (None, None, None) if found is None else (found.value, found.low, found.high)
