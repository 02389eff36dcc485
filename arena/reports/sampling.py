"""How the pairs of a board are drawn: the rule, what it gives at this moment, and what it gave so far."""

from __future__ import annotations

import numpy as np
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from arena.reports.base import Figure, Page, Report, Section, Source, Text
from arena.reports.published import published
from arena.reports.wording import joined, shown
from arena.selectors.campaigns import campaign_of, policy_of
from arena.selectors.pools import pool_now
from ranking.board import PROVISIONAL_BATTLES, PROVISIONAL_HALF_WIDTH, SCALE
from ranking.canaries import Shares, mixed_probabilities
from ranking.heatmap import heat_map
from ranking.numbers import Numbers
from ranking.pairing import CAUGHT_UP, newcomers, unsettled
from ranking.policies import SamplingPolicy
from ranking.ranks import quantile
from ranking.sampler import Situation, situation_of
from ranking.selectors import load_tally
from ranking.tables import Table
from ranking.tally import Matrix, Tally
from ranking.types import BoardKind, Criterion

_DRAWS = 10_000  # the heat map counts them, so that its cells hold whole numbers

_FLOOR = _("A share “floor” of the battles is drawn evenly among all pairs, so that no pair is left out.")
_NEWCOMERS = _(
    "Of the rest, the share “newcomer” goes to newcomers while there are any, or more where an even draw would give them more: each of them gets as many "
    "battles, and meets most often those whose battles narrow its interval most."
)
_DUELS = _(
    "Of what is then left, the share “duel” goes to neighbours in rank whose order is open, while there are any."
)
_BALANCED = _(
    "What remains is balanced: a pair weighs 1 / (1 + battles)², so that pairs that met less often come first."
)
_SEEN = _(
    "For each volunteer, pairs met before weigh 1 / (1 + times met)² of that; the floor does not change. The numbers here are those of a volunteer who has "
    "met nobody."
)
_TRIALS = _("A model on trial can be drawn in a share of the battles that its admins set, and in no other.")
_COIN = _("Who is shown as A is a coin: it favours the order shown less often, by at most 3 to 1.")
_NEW = _(
    "New is who has fewer than {battles} battles, fewer than {share} times the median, or an interval of more than {width} points to each side; nobody is "
    "while that holds for more than half of the models."
)


def build(source: Source) -> Report:
    live = source.board.kind == BoardKind.LIVE.value
    tally = load_tally(board_id=source.board.pk, criterion=Criterion.OVERALL) if live else source.tally
    pool, shares = _pool(source, live=live)
    policy = policy_of(source.board)
    try:
        situation = situation_of(tally, pool)
        probabilities = mixed_probabilities(situation, policy, shares)
    except ValueError:
        return Report(reason=_("Fewer than two models can be drawn at this moment."))
    sections = [
        _rule(policy, trials=bool(shares)),
        _pairs(_in_order(source, situation.models), situation, probabilities),
        _newcomers(situation, policy),
    ]
    if not live:
        return Report(tuple(sections), reason=_caveat(tally, live=live))
    found = published(source, "sampling", criterion=Criterion.OVERALL)
    if found.numbers is None or not found.numbers.table("log").rows:
        return Report(tuple(sections), reason=_caveat(tally, live=live))
    sections += [_sides(found.numbers), _log(found.numbers)]
    return Report(tuple(sections), _caveat(tally, live=live), found.snapshot)


def _pool(source: Source, *, live: bool) -> tuple[list[str], Shares]:
    if not live:
        return list(source.tally.models), {}
    pool = pool_now(campaign_of(source.board))
    return list(pool.candidates), pool.shares


def _caveat(tally: Tally, *, live: bool) -> Text:
    if not live:
        return _(
            "Nothing is drawn on this board any more: these are the probabilities that the rule of a new campaign would give it."
        )
    return "" if tally.n_votes else _("There are no votes yet: all pairs are equally likely.")


def _rule(policy: SamplingPolicy, *, trials: bool) -> Section:
    parts = [
        (policy.floor > 0, _FLOOR),
        (policy.floor < 1 and policy.newcomer > 0, _NEWCOMERS),
        (policy.floor < 1 and policy.duel > 0, _DUELS),
        (policy.floor < 1, _BALANCED),
        (policy.floor < 1, _SEEN),
        (trials, _TRIALS),
        (True, _COIN),
    ]
    return Section(
        title=_("The rule"),
        text=joined(*(text for applies, text in parts if applies)),
        table=Table(
            "policy",
            ("policy", "floor", "newcomer", "duel"),
            ((policy.name, policy.floor, policy.newcomer, policy.duel),),
        ),
    )


def _in_order(source: Source, models: tuple[str, ...]) -> list[int]:
    """Places in *models*, as the board ranks them; those that it lacks, last."""
    rank = {row.model: place for place, row in enumerate(source.result.ratings)}
    return sorted(range(len(models)), key=lambda at: (rank.get(models[at], len(rank)), models[at]))


def _pairs(order: list[int], situation: Situation, probabilities: Matrix) -> Section:
    models = [situation.models[at] for at in order]
    block = np.ix_(order, order)
    as_a, shown = probabilities[block], situation.shown[block]
    either, met = as_a + as_a.T, shown + shown.T
    even = 1 / (len(models) * (len(models) - 1) / 2)
    off = np.abs(either - even)[np.triu_indices(len(models), 1)]
    rows = tuple(
        (models[i], models[j], int(met[i, j]), float(either[i, j]), float(as_a[i, j]), float(as_a[j, i]))
        for i in range(len(models))
        for j in range(i + 1, len(models))
    )
    return Section(
        title=_("Pairs at this moment"),
        text=_(
            "How many of 10,000 battles each pair would get if all were drawn now; the table holds the probabilities, also of each order of sides."
        ),
        table=Table(
            "pairs", ("model", "opponent", "battles", "probability", "probability_a", "probability_b"), rows
        ),
        figure=Figure(
            "figures/heat_map.html",
            heat_map(
                models,
                either,
                [[f"{_DRAWS * each:.0f}" for each in row] for row in either],
                middle=even,
                reach=max(float(off.max()), np.finfo(np.float64).tiny),
            ),
            _("Probability of each pair; the table below holds the same numbers."),
        ),
    )


def _newcomers(situation: Situation, policy: SamplingPolicy) -> Section:
    battles = situation.shown + situation.shown.T
    pending, anchored = unsettled(battles, situation.covariance)
    new = newcomers(pending) & (policy.newcomer > 0)
    widths = quantile(0.95) * SCALE * np.sqrt(np.diagonal(anchored))
    rule = format_lazy(
        _NEW, battles=PROVISIONAL_BATTLES, share=shown(CAUGHT_UP), width=shown(int(PROVISIONAL_HALF_WIDTH))
    )
    return Section(
        title=_("Newcomers"),
        text=rule if policy.newcomer else _("This policy gives newcomers nothing of their own."),
        table=Table(
            "newcomers",
            ("model", "battles", "half_width", "settled", "new"),
            tuple(
                (model, int(met), float(width), not bool(open_), bool(is_new))
                for model, met, width, open_, is_new in zip(
                    situation.models, battles.sum(axis=1), widths, pending, new, strict=True
                )
            ),
        ),
    )


def _sides(numbers: Numbers) -> Section:
    return Section(
        title=_("Sides"),
        text=_(
            "How often each model was shown as A, of all battles drawn until the last publication, with its interval at 95 per cent (E. B. Wilson, 1927)."
        ),
        table=numbers.table("sides"),
    )


def _log(numbers: Numbers) -> Section:
    return Section(
        title=_("What was logged"),
        text=_(
            "Each battle keeps its policy and the probability of its draw, sides included. The mean of 1 / probability is near the number of ordered pairs "
            "that could be drawn, if the log is right and the pool stayed the same."
        ),
        table=numbers.table("log"),
    )


PAGE = Page(
    slug="sampling",
    title=_("How pairs are drawn"),
    lead=_("The rule that decides who meets whom, and how likely each pair is at this moment."),
    build=build,
)
