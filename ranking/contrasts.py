"""What is told of the effects of recipes: which levels against which, and the tables of both intervals and of the lack of fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from ranking.errors import NoFit, NotConverged
from ranking.factors import LEVELS, Code, Effect, Factor, FactorFit, factor_effects
from ranking.fit import Vector
from ranking.tables import Table
from ranking.tally import Tally

INTERACTION = ((Factor.BACKBONE, Factor.CORPUS),)
FORMS: dict[str, tuple[tuple[Factor, Factor], ...]] = {
    "main": (),
    "backbone_corpus": INTERACTION,
    "backbone_instructions": ((Factor.BACKBONE, Factor.INSTRUCTIONS),),
    "corpus_instructions": ((Factor.CORPUS, Factor.INSTRUCTIONS),),
    "pairs": tuple(combinations(Factor, 2)),
}
"""Sets of interactions that are held against the votes, by name."""


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


@dataclass(frozen=True, slots=True)
class Told:
    """A contrast with the interval of the votes alone, and the one that counts the lack of fit too."""

    contrast: Contrast
    narrow: Effect
    wide: Effect


def fits_of(tally: Tally, codes: Mapping[str, Code]) -> dict[str, FactorFit]:
    """The fit of each of :data:`FORMS` that the votes allow."""
    return {name: fit for name, pairs in FORMS.items() if (fit := _fit(tally, codes, pairs))}


def _fit(
    tally: Tally, codes: Mapping[str, Code], pairs: tuple[tuple[Factor, Factor], ...]
) -> FactorFit | None:
    try:
        return factor_effects(tally, codes, interactions=pairs, allow_misfit=True)
    except (NoFit, NotConverged):
        return None


def told(fit: FactorFit, contrasts: Sequence[Contrast]) -> list[Told]:
    votes_alone = replace(fit, allow_misfit=False)
    found = []
    for each in contrasts:
        vector = each.vector(fit.names)
        found.append(Told(each, votes_alone.contrast(vector), fit.contrast(vector)))
    return found


def effects_table(name: str, found: Sequence[Told]) -> Table:
    rows = [
        (
            *(
                str(each.contrast.factor),
                each.contrast.level,
                each.contrast.against,
                each.contrast.given[1] if each.contrast.given else None,
            ),
            *(each.narrow.estimate, each.narrow.low, each.narrow.high, each.wide.low, each.wide.high),
        )
        for each in found
    ]
    columns = ("factor", "factor_level", "against", "given", "points", "low", "high", "wide_low", "wide_high")
    return Table(name, columns, tuple(rows))


def lack_of_fit_table(fits: Mapping[str, FactorFit]) -> Table:
    rows = tuple(
        (name, fit.lack_of_fit.chi_square, fit.lack_of_fit.df, fit.lack_of_fit.p, fit.inflation)
        for name, fit in fits.items()
    )
    return Table("lack_of_fit", ("form", "chi_square", "degrees", "p_value", "inflation"), rows)


def main_contrasts(codes: Mapping[str, Code]) -> list[Contrast]:
    """Each level that occurs against each earlier one."""
    return [contrast for factor in Factor for contrast in _pairs(factor, _present(codes, factor))]


def contrasts_by_backbone(codes: Mapping[str, Code]) -> list[Contrast]:
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


def _row(columns: Sequence[str], levels: Mapping[Factor, str]) -> Vector:
    said = {f"{factor}={level}" for factor, level in levels.items()}
    return np.array([float(set(column.split(":")) <= said) for column in columns])


def _present(codes: Mapping[str, Code], factor: Factor) -> list[str]:
    said = {code.level(factor) for code in codes.values()}
    return [level for level in LEVELS[factor] if level in said]


def _pairs(factor: Factor, levels: Sequence[str]) -> list[Contrast]:
    return [Contrast(factor, level, against) for against, level in combinations(levels, 2)]
