"""What the recipe of a model does: merged battles as the study published them, and effects by generalised least squares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from arena.reports import labels
from arena.reports.base import Figure, Page, Report, Section, Source
from ranking.board import BoardResult
from ranking.effect_plot import Drawn, effect_plot
from ranking.errors import NoFit, NotConverged
from ranking.factors import (
    LEVELS,
    Code,
    Effect,
    Factor,
    FactorFit,
    corpus_levels,
    factor_effects,
    grouped_board,
    instruction_levels,
    trained_codes,
)
from ranking.fit import Vector
from ranking.models import Board, TallyCell
from ranking.plot import interval_plot
from ranking.tables import Table, Value
from ranking.tally import Tally
from ranking.types import Criterion

INTERACTION = ((Factor.BACKBONE, Factor.CORPUS),)
FORMS: dict[str, tuple[tuple[Factor, Factor], ...]] = {
    "main": (),
    "backbone_corpus": INTERACTION,
    "backbone_instructions": ((Factor.BACKBONE, Factor.INSTRUCTIONS),),
    "corpus_instructions": ((Factor.CORPUS, Factor.INSTRUCTIONS),),
    "pairs": tuple(combinations(Factor, 2)),
}
"""Sets of interactions that are held against the votes, by name."""
FEWEST = 2  # models with a code


@dataclass(frozen=True, slots=True)
class Contrast:
    """The effect of *level* against another one of *factor*, where a second factor stands at the level *given*, if it matters."""

    factor: Factor
    level: str
    against: str
    given: tuple[Factor, str] | None = None

    def vector(self, columns: Sequence[str]) -> Vector:
        """Over a design's *columns*: one's row less the other's, where the factors not named stand at any common level."""
        held = {self.given[0]: self.given[1]} if self.given else {}
        one, other = ({**held, self.factor: each} for each in (self.level, self.against))
        return np.subtract(_row(columns, one), _row(columns, other))

    @property
    def words(self) -> str:
        """In the reader's language; a factor of two levels is named alone."""
        name = labels.value_label("factor", self.factor)
        two = len(LEVELS[self.factor]) == 2
        said = f"{name}" if two else f"{name}: {_word(self.level)} − {_word(self.against)}"
        return f"{said} · {_word(self.given[1])}" if self.given else said


def _row(columns: Sequence[str], levels: Mapping[Factor, str]) -> Vector:
    said = {f"{factor}={level}" for factor, level in levels.items()}
    return np.array([float(set(column.split(":")) <= said) for column in columns])


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
    fits = {name: fit for name, pairs in FORMS.items() if (fit := _fit(tally, codes, pairs))}
    if "main" not in fits:
        return ()
    sections = [
        _effect_section(
            "effects",
            _("Effects"),
            _(
                "In rating points, all else equal, if each part of a recipe acts alike whatever the rest. The thick interval is that of the votes; "
                "the thin one also counts how far the models lie off such a rule."
            ),
            fits["main"],
            _main_contrasts(codes),
        )
    ]
    if "backbone_corpus" in fits:
        sections.append(
            _effect_section(
                "effects_by_backbone",
                _("Effects where the corpus may act on each base in its own way"),
                _(
                    "A base that has read the corpus before has less to gain from it. What the corpus does is told for each base, "
                    "and what the base does with and without the corpus."
                ),
                fits["backbone_corpus"],
                _contrasts_by_backbone(codes),
            )
        )
    return (*sections, _lack_of_fit(fits))


def _fit(
    tally: Tally, codes: Mapping[str, Code], pairs: tuple[tuple[Factor, Factor], ...]
) -> FactorFit | None:
    try:
        return factor_effects(tally, codes, interactions=pairs, allow_misfit=True)
    except (NoFit, NotConverged):
        return None


def _effect_section(
    name: str, title: Promise, text: Promise, fit: FactorFit, contrasts: Sequence[Contrast]
) -> Section:
    votes_alone = replace(fit, allow_misfit=False)
    found = [(each, *_both(votes_alone, fit, each)) for each in contrasts]
    rows = [
        (
            *(str(each.factor), each.level, each.against, each.given[1] if each.given else None),
            *(narrow.estimate, narrow.low, narrow.high, wide.low, wide.high),
        )
        for each, narrow, wide in found
    ]
    columns = ("factor", "factor_level", "against", "given", "points", "low", "high", "wide_low", "wide_high")
    drawn = [line for each in found if (line := _drawn(*each))]
    return Section(
        title=title,
        text=text,
        table=Table(name, columns, tuple(rows)),
        figure=Figure("figures/effects.html", effect_plot(drawn), title),
    )


def _both(narrow: FactorFit, wide: FactorFit, contrast: Contrast) -> tuple[Effect, Effect]:
    vector = contrast.vector(narrow.names)
    return narrow.contrast(vector), wide.contrast(vector)


def _drawn(contrast: Contrast, narrow: Effect, wide: Effect) -> Drawn | None:
    ends = (narrow.estimate, narrow.low, narrow.high, wide.low, wide.high)
    numbers = [each for each in ends if each is not None]
    return Drawn(contrast.words, *numbers) if len(numbers) == len(ends) else None


def _main_contrasts(codes: Mapping[str, Code]) -> list[Contrast]:
    """Each level that occurs against each earlier one."""
    return [contrast for factor in Factor for contrast in _pairs(factor, _present(codes, factor))]


def _contrasts_by_backbone(codes: Mapping[str, Code]) -> list[Contrast]:
    """Only between cells that somebody stands in: of an empty one the votes say nothing."""
    cells = {(code.level(Factor.BACKBONE), code.level(Factor.CORPUS)) for code in codes.values()}
    of_corpus = [
        replace(contrast, given=(Factor.BACKBONE, base))
        for base in _present(codes, Factor.BACKBONE)
        for contrast in _pairs(
            Factor.CORPUS, [each for each in LEVELS[Factor.CORPUS] if (base, each) in cells]
        )
    ]
    of_backbone = [
        replace(contrast, given=(Factor.CORPUS, corpus))
        for corpus in _present(codes, Factor.CORPUS)
        for contrast in _pairs(
            Factor.BACKBONE, [each for each in LEVELS[Factor.BACKBONE] if (each, corpus) in cells]
        )
    ]
    return [*of_corpus, *of_backbone, *_pairs(Factor.INSTRUCTIONS, _present(codes, Factor.INSTRUCTIONS))]


def _present(codes: Mapping[str, Code], factor: Factor) -> list[str]:
    said = {code.level(factor) for code in codes.values()}
    return [level for level in LEVELS[factor] if level in said]


def _pairs(factor: Factor, levels: Sequence[str]) -> list[Contrast]:
    return [Contrast(factor, level, against) for against, level in combinations(levels, 2)]


def _lack_of_fit(fits: Mapping[str, FactorFit]) -> Section:
    rows = tuple(
        (name, fit.lack_of_fit.chi_square, fit.lack_of_fit.df, fit.lack_of_fit.p, fit.inflation)
        for name, fit in fits.items()
    )
    return Section(
        title=_("Lack of fit"),
        text=_(
            "How far the models' strengths lie off what their recipes say. Where the probability is small, the recipe as it is told here is not all "
            "that matters, and only the wide intervals stand."
        ),
        table=Table("lack_of_fit", ("form", "chi_square", "degrees", "p_value", "inflation"), rows),
    )


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
