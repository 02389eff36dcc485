"""What the recipe of a model does: merged battles as the study published them, and effects by generalised least squares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from arena.reports import labels
from arena.reports.base import Figure, Page, Report, Section, Source
from ranking.board import BoardResult
from ranking.contrasts import (
    contrasts_by_backbone,
    effects_table,
    fits_of,
    lack_of_fit_table,
    main_contrasts,
    told,
)
from ranking.effect_plot import Drawn, effect_plot
from ranking.factors import (
    LEVELS,
    Code,
    Factor,
    corpus_levels,
    grouped_board,
    instruction_levels,
    trained_codes,
)
from ranking.models import Board, TallyCell
from ranking.plot import interval_plot
from ranking.tables import Table, Value
from ranking.tally import Tally
from ranking.types import Criterion

FEWEST = 2  # models with a code
_EFFECTS = {
    "effects": (
        _("Effects"),
        _(
            "In rating points, all else equal, if each part of a recipe acts alike whatever the rest. The thick interval is that of the votes; "
            "the thin one also counts how far the models lie off such a rule."
        ),
    ),
    "effects_by_backbone": (
        _("Effects where the corpus may act on each base in its own way"),
        _(
            "A base that has read the corpus before has less to gain from it. What the corpus does is told for each base, "
            "and what the base does with and without the corpus."
        ),
    ),
}


def words(factor: str, level: str, against: str, given: str | None) -> str:
    """A contrast in the reader's language; a factor of two levels is named alone."""
    name = labels.value_label("factor", factor)
    two = len(LEVELS[Factor(factor)]) == 2
    said = f"{name}" if two else f"{name}: {_word(level)} − {_word(against)}"
    return f"{said} · {_word(given)}" if given else said


def effects_section(table: Table) -> Section:
    """A table of effects with its heading and picture, by its name."""
    title, text = _EFFECTS[table.name]
    drawn = [line for each in table.as_json() if (line := _drawn(each))]
    return Section(title, table, text, Figure("figures/effects.html", effect_plot(drawn), title))


def lack_of_fit_section(table: Table) -> Section:
    return Section(
        title=_("Lack of fit"),
        text=_(
            "How far the models' strengths lie off what their recipes say. Where the probability is small, the recipe as it is told here is not all "
            "that matters, and only the wide intervals stand."
        ),
        table=table,
    )


def build(source: Source) -> Report:
    rated = [row.model for row in source.result.ratings if row.rating is not None]
    codes = trained_codes(rated)
    if not source.tally.n_votes:
        return Report(reason=_("There are no votes yet: yours can be the first."))
    if len(codes) < FEWEST:
        return Report(reason=_("Fewer than two models with a recipe have a rating yet."))
    tally = source.tally.subset(rated)
    return Report((*_merged(tally), *_effects(tally, codes), _recipes(source.result)))


def _merged(tally: Tally) -> tuple[Section, ...]:
    groups = (
        ("merged_corpus", _("Battles merged by corpus"), corpus_levels(tally.models)),
        ("merged_instructions", _("Battles merged by instructions"), instruction_levels(tally.models)),
    )
    boards = [(name, title, levels, grouped_board(tally, levels)) for name, title, levels in groups]
    return tuple(_merged_section(*each) for each in boards if each[-1].n_votes)


def _merged_section(name: str, title: Promise, levels: Mapping[str, str], board: BoardResult) -> Section:
    members = list(levels.values())
    rows: list[tuple[Value, ...]] = [
        (
            *(row.model, members.count(row.model), row.rating, row.low, row.high),
            *(row.n, row.wins, row.ties, row.losses),
        )
        for row in board.ratings
    ]
    columns = ("factor_level", "models", "rating", "low", "high", "battles", "wins", "ties", "losses")
    named = replace(board, ratings=tuple(replace(row, model=_word(row.model)) for row in board.ratings))
    return Section(
        title=title,
        text=_(
            "As the study grouped them: all battles between two levels as if each level were one model. This describes the battles; "
            "a level also carries whatever else sets its models apart."
        ),
        table=Table(name, columns, tuple(rows)),
        figure=Figure("figures/intervals.html", interval_plot(named), title),
    )


def _effects(tally: Tally, codes: Mapping[str, Code]) -> tuple[Section, ...]:
    fits = fits_of(tally, codes)
    if "main" not in fits:
        return ()
    tables = [effects_table("effects", told(fits["main"], main_contrasts(codes)))]
    if "backbone_corpus" in fits:
        by_backbone = told(fits["backbone_corpus"], contrasts_by_backbone(codes))
        tables.append(effects_table("effects_by_backbone", by_backbone))
    return (*map(effects_section, tables), lack_of_fit_section(lack_of_fit_table(fits)))


def _drawn(row: Mapping[str, Value]) -> Drawn | None:
    ends = [row[name] for name in ("points", "low", "high", "wide_low", "wide_high")]
    numbers = [each for each in ends if isinstance(each, float)]
    given = None if row["given"] is None else str(row["given"])
    said = words(str(row["factor"]), str(row["factor_level"]), str(row["against"]), given)
    return Drawn(said, *numbers) if len(numbers) == len(ends) else None


def _recipes(result: BoardResult) -> Section:
    codes = trained_codes(row.model for row in result.ratings)
    rows = tuple(
        (row.model, *_recipe(codes.get(row.model)), row.rating, row.low, row.high) for row in result.ratings
    )
    return Section(
        title=_("Recipes"),
        text=_(
            "What each model was trained from and on. Models without a recipe take part in the fit of strengths, not in the effects."
        ),
        table=Table("recipes", ("model", *map(str, Factor), "rating", "low", "high"), rows),
    )


def _recipe(code: Code | None) -> tuple[str | None, ...]:
    return tuple(code.level(factor) if code else None for factor in Factor)


def _word(level: str) -> str:
    return str(labels.value_label("factor_level", level))


def offered(board: Board) -> bool:
    """Whether two models or more carry a code."""
    held = TallyCell.objects.filter(board=board, criterion=Criterion.OVERALL.value)
    names = {
        name
        for side in ("model_a", "model_b")
        for name in held.filter(**{f"{side}__startswith": "exp_"}).values_list(side, flat=True).distinct()
    }
    return len(trained_codes(names)) >= FEWEST


PAGE = Page(
    slug="factors",
    title=_("What the recipe does"),
    lead=_("What the base, the Basque corpus and the instructions do to a model's rating."),
    build=build,
    offered=offered,
)
