"""Ratings with style held: what length, Markdown, speed and the side are worth, and who stands where without them."""

from __future__ import annotations

import numpy as np
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from arena.reports.base import Figure, Page, Report, Section, Source, Text
from arena.reports.wording import joined, shown
from arena.selectors.covariates import StyledVotes, styled_votes
from ranking.covariates import SIDE, Covariates, style_covariates
from ranking.errors import NoFit, NotConverged
from ranking.rateable import rateable
from ranking.strips import Strip, strips
from ranking.style import StyleBoard, Term, build_style_board
from ranking.tables import Table, Value
from ranking.types import BoardKind
from ranking.voters import Spread

_SPREADS = {
    Spread.CR3: _("Intervals at 95 per cent take volunteers as independent (CR3)."),
    Spread.CR1: _(
        "Intervals at 95 per cent take volunteers as independent (CR1: one of them holds the board together)."
    ),
    Spread.VOTES: _("Intervals at 95 per cent take votes as independent, as there is one volunteer."),
}
_UNFIT = _(
    "Style cannot be held with these votes: some of it cannot be told from the models, or predicts every vote."
)


def build(source: Source) -> Report:
    votes = styled_votes(source.board, source.criterion)
    if not votes.ballots.n_votes:
        return Report(reason=_("There are no votes yet: yours can be the first."))
    held, idle = differing(votes)
    try:
        board = build_style_board(votes.ballots, held)
    except (NoFit, NotConverged):
        return Report(reason=_UNFIT)
    if not board.status.has_rating:
        return Report(reason=_("The models have no ratings yet, so style cannot be held."))
    return Report((_terms(board, idle, votes), _ratings(board)))


def differing(votes: StyledVotes) -> tuple[Covariates, tuple[str, ...]]:
    """The covariates in which the rated models' answers differ, and the names of the others."""
    within = rateable(votes.ballots).within
    idle = tuple(name for name, (a, b) in votes.measures.items() if (a == b)[within].all())
    used = {name: both for name, both in votes.measures.items() if name not in idle}
    if used:
        return style_covariates(used), idle
    return Covariates((SIDE,), np.ones((votes.ballots.n_votes, 1))), idle


def _terms(board: StyleBoard, idle: tuple[str, ...], votes: StyledVotes) -> Section:
    told: list[tuple[Value, ...]] = [(term.name, term.estimate, *_ends(term), "told") for term in board.terms]
    told += [(name, None, None, None, "never_differs") for name in idle]
    return Section(
        title=_("What style is worth"),
        text=joined(
            _(
                "In rating points: for the side, of being shown as A; otherwise of a usual relative difference, "
                "(A − B) / (A + B) over its root mean square, to the answer that has more of it."
            ),
            _SPREADS[board.spread],
            *_read(votes),
        ),
        table=Table("terms", ("covariate", "estimate", "low", "high", "status"), tuple(told)),
        figure=Figure(
            "figures/strips.html",
            strips(
                {
                    "": [
                        Strip(term.name, _ends(term)[0], term.estimate, _ends(term)[1])
                        for term in board.terms
                    ]
                },
                column="covariate",
                through=0.0,
            ),
            _("What each kind of style is worth, with its interval; the table below holds the same numbers."),
        ),
    )


def _ends(term: Term) -> tuple[float, float]:
    if term.voter_low is None or term.voter_high is None:
        return term.low, term.high
    return term.voter_low, term.voter_high


def _read(votes: StyledVotes) -> list[Text]:
    n = votes.ballots.n_votes
    said: list[Text] = [format_lazy(_("Votes read: {n}."), n=shown(n))]
    if votes.n_counted > n:
        said.append(
            format_lazy(
                _("Older votes left out, as texts take long to read: {n}."), n=shown(votes.n_counted - n)
            )
        )
    if votes.n_untimed:
        said.append(
            format_lazy(
                _("Votes in which a time is not known, so that both sides are taken as equally fast: {n}."),
                n=shown(votes.n_untimed),
            )
        )
    return said


def _ratings(board: StyleBoard) -> Section:
    rows: list[tuple[Value, ...]] = []
    drawn: dict[str, list[Strip]] = {}
    for row in board.ratings:
        plain = None if row.rating is None or row.shift is None else row.rating - row.shift
        rows.append((row.model, row.rating, row.low, row.high, plain, row.shift, row.status.value))
        if row.rating is not None and row.low is not None and row.high is not None and plain is not None:
            drawn[row.model] = [
                Strip("held", row.low, row.rating, row.high),
                Strip("plain", plain, plain, plain),
            ]
    return Section(
        title=_("Ratings with style held"),
        text=_(
            "Who would stand where if both answers always had the same style, beside the same votes without it."
        ),
        table=Table(
            "ratings",
            ("model", "rating", "low", "high", "plain_rating", "shift", "status"),
            tuple(rows),
        ),
        figure=Figure(
            "figures/strips.html",
            strips(drawn, column="version"),
            _("Each model's rating with and without style held; the table below holds the same numbers."),
        ),
    )


PAGE = Page(
    slug="style",
    title=_("Style"),
    lead=_("What length, Markdown, speed and the side are worth, and the ratings without them."),
    build=build,
    offered=lambda board: board.kind == BoardKind.LIVE.value,
    slow=True,
)
