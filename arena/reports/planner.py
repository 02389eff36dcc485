"""How many votes, volunteers and hours a wanted precision still takes, simulated from the board as it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import isfinite

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from arena.numbers import planner as stored
from arena.reports.base import Page, Report, Section, Source, Text
from arena.reports.published import Published, published
from arena.reports.wording import joined, shown
from ranking.goals import Goal, Precision, Separation, TopK
from ranking.numbers import Numbers
from ranking.planner import HIGH, LOW, MIDDLE
from ranking.plans import Basis, Pace, Plan, PlanStatus
from ranking.tables import Table

_WIDTHS = (0.1, 10_000.0)
_BATTLES = (0.1, 100_000.0)
_MINUTES = (0.01, 1_440.0)
_FIELDS = ("goal", "width", "model_a", "model_b", "k", "battles_a_volunteer", "minutes_a_battle")

_SAID = {
    PlanStatus.REACHED: _("The board is there already: no more votes are needed for this."),
    PlanStatus.PLANNED: _(
        "In the middle of the simulated futures this still takes: votes {votes}, volunteers {volunteers}, hours of theirs together {hours}."
    ),
    PlanStatus.BEYOND_HORIZON: _(
        "In more than half of the simulated futures a million more votes are not enough: models that are this alike may never be told apart."
    ),
    PlanStatus.TOO_FEW_MODELS: _("A plan needs at least two models on the board."),
    PlanStatus.NO_ORDER: _(
        "Nothing tells these models apart yet: a goal about who is better needs models with a rating."
    ),
}
_BASES = {
    Basis.FIT: _("The start is the board's own ratings and what their intervals leave open."),
    Basis.FIT_AND_PRIOR: _("Assumed: models without a rating are spread as the rated ones are."),
    Basis.EVEN_PRIOR: _("Assumed: all models are equally good, as none has a rating yet."),
}
_GOALS = {
    Precision: _("Wanted: every interval at most {goal} points to each side."),
    Separation: _("Wanted: the two models told apart, whichever is better."),
    TopK: _("Wanted: each of the best {goal} told apart from all others."),
}
_TOO_MANY = _("This board has more than {most} models: plans for so many are not simulated here.")


@dataclass(frozen=True, slots=True)
class Planned(Report):
    """A report that fills the form again: the board's *models*, what was *asked*, and the field that is *wrong*."""

    models: tuple[str, ...] = ()
    asked: Mapping[str, str] = field(default_factory=dict)
    wrong: str = ""


class _WrongField(Exception):
    """*name* holds nothing that can be planned with; *reason* says what is wanted."""

    def __init__(self, name: str, reason: Text) -> None:
        super().__init__(name)
        self.name, self.reason = name, reason


def build(source: Source) -> Report:
    found = published(source, stored.REPORT)
    if found.numbers is None:
        few = len(source.result.ratings) < 2
        return _without(source, found, _SAID[PlanStatus.TOO_FEW_MODELS] if few else found.reason)
    if not found.numbers.has("models"):
        return _without(source, found, format_lazy(_TOO_MANY, most=shown(stored.MOST_MODELS)))
    return _planned(source, found, found.numbers)


def _without(source: Source, found: Published, reason: Text) -> Planned:
    return Planned(reason=reason, published=found.snapshot, live=False, asked=_asked(source.query, ()))


def _planned(source: Source, found: Published, numbers: Numbers) -> Planned:
    """Any goal's plan is told from the simulation that was stored."""
    futures = stored.futures_of(numbers)
    rank = {row.model: place for place, row in enumerate(source.result.ratings)}
    models = tuple(sorted(futures.models, key=lambda model: (rank.get(model, len(rank)), model)))
    asked = _asked(source.query, models)
    without = Planned(published=found.snapshot, live=False, models=models, asked=asked)
    if len(models) < 2:
        return replace(without, reason=_SAID[PlanStatus.TOO_FEW_MODELS])
    try:
        goal, pace = _goal(asked, models), _pace(asked)
    except _WrongField as wrong:
        return replace(without, reason=wrong.reason, wrong=wrong.name)
    plan = futures.plan(goal, pace)
    if plan.status is PlanStatus.NO_ORDER:
        return replace(without, reason=_SAID[plan.status])
    n_votes = found.snapshot.n_votes if found.snapshot else 0
    return replace(
        without,
        sections=(_needed(plan), _assumed(plan)),
        reason="" if n_votes else _("There are no votes yet: all of this is assumed."),
    )


def _asked(query: Mapping[str, str], models: tuple[str, ...]) -> dict[str, str]:
    """What was typed; where nothing was, what the form begins with."""
    first, second = (*models, "", "")[:2]
    start = {"goal": "half_width", "width": "15", "model_a": first, "model_b": second, "k": "1"}
    return {name: query.get(name, start.get(name, "")) for name in _FIELDS}


def _goal(asked: Mapping[str, str], models: tuple[str, ...]) -> Goal:
    if asked["goal"] == "half_width":
        reason = _("The half width is a number of rating points, from 0.1 to 10,000.")
        return Precision(_number(asked, "width", _WIDTHS, reason))
    if asked["goal"] == "separate":
        return _separation(asked["model_a"], asked["model_b"], models)
    if asked["goal"] == "top_k":
        return _top(asked["k"], len(models))
    raise _WrongField("goal", _("Choose one of the three goals."))


def _separation(one: str, other: str, models: tuple[str, ...]) -> Separation:
    for name, model in (("model_a", one), ("model_b", other)):
        if model not in models:
            raise _WrongField(name, _("Choose two models of this board."))
    if one == other:
        raise _WrongField("model_b", _("Choose two different models: none is told apart from itself."))
    return Separation(one, other)


def _top(typed: str, models: int) -> TopK:
    digits = typed.strip()
    if digits.isascii() and digits.isdigit() and len(digits) < 10 and 1 <= int(digits) < models:
        return TopK(int(digits))
    reason = _("The number of the best is a whole number from 1 to {most}, one less than there are models.")
    raise _WrongField("k", format_lazy(reason, most=shown(models - 1)))


def _pace(asked: Mapping[str, str]) -> Pace:
    """The published campaign's pace where a field is empty."""
    battles, minutes = Pace().battles_a_volunteer, None
    if asked["battles_a_volunteer"].strip():
        reason = _("Battles a volunteer is a number from 0.1 to 100,000, or empty.")
        battles = _number(asked, "battles_a_volunteer", _BATTLES, reason)
    if asked["minutes_a_battle"].strip():
        reason = _("Minutes a battle is a number from 0.01 to 1,440, or empty.")
        minutes = _number(asked, "minutes_a_battle", _MINUTES, reason)
    return Pace(battles, minutes)


def _number(asked: Mapping[str, str], name: str, ends: tuple[float, float], reason: Text) -> float:
    """The number typed, with a decimal comma or point."""
    try:
        value = float(asked[name].strip().replace(",", "."))
    except ValueError:
        raise _WrongField(name, reason) from None
    if not (isfinite(value) and ends[0] <= value <= ends[1]):
        raise _WrongField(name, reason)
    return value


def _needed(plan: Plan) -> Section:
    efforts = ((LOW, plan.low), (MIDDLE, plan.middle), (HIGH, plan.high))
    return Section(
        title=_("Still needed"),
        text=joined(_wanted(plan.goal), _said(plan)),
        table=Table(
            "plan",
            ("enough_in", "votes", "volunteers", "hours"),
            tuple(
                (share, effort.votes, effort.volunteers, effort.hours)
                if effort
                else (share, None, None, None)
                for share, effort in efforts
            ),
        ),
    )


def _wanted(goal: Goal) -> Text:
    size = goal.half_width if isinstance(goal, Precision) else goal.k if isinstance(goal, TopK) else ""
    return format_lazy(_GOALS[type(goal)], goal=shown(size))


def _said(plan: Plan) -> Text:
    effort = plan.middle
    if plan.status is not PlanStatus.PLANNED or effort is None:
        return _SAID[plan.status]
    return format_lazy(
        _SAID[plan.status],
        votes=shown(effort.votes),
        volunteers=shown(effort.volunteers),
        hours=shown(round(effort.hours)),
    )


def _assumed(plan: Plan) -> Section:
    minutes = (
        _("Assumed: the minutes a battle, which nobody has measured.")
        if plan.pace.is_assumed
        else _("The minutes a battle are yours.")
    )
    published = plan.pace.battles_a_volunteer == Pace().battles_a_volunteer
    battles = (
        _("Taken from the campaign of 2025: the battles a volunteer, 12,890 votes of 1,285 people.")
        if published
        else _("The battles a volunteer are yours.")
    )
    independent = _("Assumed: votes are independent; where one volunteer's votes are alike, it takes more.")
    row = (
        plan.policy,
        stored.LEVEL,
        plan.pace.battles_a_volunteer,
        plan.pace.minutes,
        plan.reached_share,
        plan.repetitions,
        plan.seed,
    )
    return Section(
        title=_("What the plan rests on"),
        text=joined(_BASES[plan.basis], battles, minutes, independent),
        table=Table(
            "assumptions",
            (
                "policy",
                "level",
                "battles_a_volunteer",
                "minutes_a_battle",
                "reached_share",
                "repetitions",
                "seed",
            ),
            (row,),
        ),
    )


PAGE = Page(
    slug="planner",
    title=_("Planner"),
    lead=_(
        "How many votes, volunteers and hours are still needed until the board tells what you want to know."
    ),
    build=build,
    form="reports/_planner_form.html",
    asks=_FIELDS,
)
