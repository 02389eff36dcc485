"""What the recipe of a candidate does to its strength: battles merged by factor, and effects by generalised least squares.

A code ``exp_{backbone}_{corpus}{eu}{en}`` says what an 8B candidate was trained from and on: backbone 0, 1 or 2, and with or without the Basque corpus,
Basque instructions and English instructions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from math import sqrt

import numpy as np
import scipy

from ranking.board import SCALE, BoardResult, build_board
from ranking.errors import NoFit
from ranking.fit import Vector, fit_bradley_terry, regular
from ranking.ranks import quantile
from ranking.tally import Matrix, Tally
from ranking.types import TieRule
from ranking.uncertainty import sandwich_covariance

LLAMA_INSTRUCT = "Llama-3.1-8B-Instruct"
UNTRAINED = {
    "exp_0_000": "Llama-3.1-8B",
    "exp_0_001": LLAMA_INSTRUCT,
    "exp_2_000": LLAMA_INSTRUCT,
    "exp_2_001": LLAMA_INSTRUCT,
    "exp_0_100": "Latxa-Llama-3.1-8B",
    "exp_1_000": "Latxa-Llama-3.1-8B",
    "exp_1_100": "Latxa-Llama-3.1-8B",
}
"""Cells of the grid that nobody trained, and the released model that stands for each."""

_CODE = re.compile(r"exp_([012])_([01])([01])([01])", re.ASCII)
_WORST_CONDITION = 1e12
_ESTIMABLE = 1e-8


class Factor(StrEnum):
    BACKBONE = "backbone"
    CORPUS = "corpus"
    INSTRUCTIONS = "instructions"


LEVELS = {
    Factor.BACKBONE: ("base_en", "base_eu", "inst_en"),
    Factor.CORPUS: ("without", "with"),
    Factor.INSTRUCTIONS: ("none", "en", "eu", "both"),
}
"""The levels of each factor; effects are told against the first one that occurs."""


@dataclass(frozen=True, slots=True)
class Code:
    """A cell of the grid: backbone 0 (Llama-3.1-8B), 1 (Latxa-Llama-3.1-8B) or 2 (Llama-3.1-8B-Instruct), and what it was trained on."""

    backbone: int
    corpus: bool
    eu: bool
    en: bool

    @classmethod
    def parse(cls, name: str) -> Code | None:
        """The cell that a model's name states; ``None`` where the name is no code."""
        found = _CODE.fullmatch(name)
        if found is None:
            return None
        backbone, *flags = (int(digit) for digit in found.groups())
        return cls(backbone, *(bool(flag) for flag in flags))

    def __str__(self) -> str:
        return f"exp_{self.backbone}_{self.corpus:d}{self.eu:d}{self.en:d}"

    def level(self, factor: Factor) -> str:
        """The code's level of a factor, one of :data:`LEVELS`."""
        place = {
            Factor.BACKBONE: self.backbone,
            Factor.CORPUS: int(self.corpus),
            Factor.INSTRUCTIONS: int(self.en) + 2 * int(self.eu),
        }[factor]
        return LEVELS[factor][place]


def trained_codes(models: Iterable[str]) -> dict[str, Code]:
    """The models whose names are codes, in their order: the trained 8B candidates, not the 70B nor anybody's API."""
    return {name: code for name in models if (code := Code.parse(name)) is not None}


def corpus_levels(models: Iterable[str]) -> dict[str, str]:
    """Who stands for which corpus level in the published grouping: the trained 8B candidates, and Llama-3.1-8B-Instruct for "without".

    Notes
    -----
    Found by trial on the published pair table: with these 18 models the merged fit says 958.3 / 1041.7, published are 958 / 1041. Without Llama it says
    969.8 / 1030.2; with the 70B in "with", 953.7 / 1046.3.
    """
    listed = list(models)
    levels = {name: code.level(Factor.CORPUS) for name, code in trained_codes(listed).items()}
    return levels | {name: "without" for name in listed if name == LLAMA_INSTRUCT}


def instruction_levels(models: Iterable[str]) -> dict[str, str]:
    """Who stands for which instruction level in the published grouping: the trained 8B candidates that saw the corpus, of all backbones.

    Notes
    -----
    Found by trial on the published pair table: with these 10 models the merged fit says 932.8 / 1028.9 / 1005.6 / 1032.6 (none, EN, EU, both), published
    are 932 / 1028 / 1005 / 1033. No set with candidates that saw no corpus comes within 4 points; "none" is ``exp_2_100`` alone.
    """
    return {
        name: code.level(Factor.INSTRUCTIONS) for name, code in trained_codes(models).items() if code.corpus
    }


def merge_by_level(tally: Tally, levels: Mapping[str, str]) -> Tally:
    """The tally with each model replaced by its level, sides kept; battles within a level, and of models without one, are left out.

    *levels* maps names of models to names of levels; models that the tally lacks do not matter. The levels stand sorted by name.
    """
    names = tuple(sorted({levels[name] for name in tally.models if name in levels}))
    member = np.array([[levels.get(name) == level for level in names] for name in tally.models])
    member = member.reshape(len(tally.models), len(names)).astype(np.int64)
    counts = np.einsum("ik,ijo,jl->klo", member, tally.counts, member)
    counts[np.arange(len(names)), np.arange(len(names))] = 0
    return Tally(names, counts)


def grouped_board(tally: Tally, levels: Mapping[str, str], *, interval: float = 0.95) -> BoardResult:
    """The board of the levels, as the study grouped its battles: Bradley-Terry with half-win ties on :func:`merge_by_level`.

    Parameters
    ----------
    tally, levels
        As in :func:`merge_by_level`; :func:`corpus_levels` and :func:`instruction_levels` are those of the study.
    interval
        Confidence level of the sandwich intervals, between 0 and 1; ``ValueError`` otherwise.

    Returns
    -------
    BoardResult
        A row a level, with an explicit status where a level cannot be rated.

    Notes
    -----
    "Instructing Large Language Models for Low-Resource Languages" (EMNLP 2025). A description of these battles, no effect: a level's rating also carries
    the other factors of its models, and who met whom. :func:`factor_effects` takes them apart.
    """
    return build_board(merge_by_level(tally, levels), interval=interval)


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Treatment-coded factors: ``q`` columns over ``k`` models.

    A column is ``factor=level``, told against the factor's reference level, or two of them joined by ``:`` for an interaction; *matrix* is of shape
    ``(k, q)``. There is no column for the constant, which strengths do not have.
    """

    names: tuple[str, ...]
    matrix: Matrix


def factor_design(codes: Sequence[Code], interactions: Iterable[tuple[Factor, Factor]] = ()) -> Design:
    """Main effects of all three factors, and the interactions asked for.

    Levels and combinations that no code has get no column. With interactions, a main effect is the effect at the other factor's reference level.
    """
    main = {factor: _dummies(codes, factor) for factor in Factor}
    columns = {name: column for part in main.values() for name, column in part.items()}
    for first, second in interactions:
        if first is second:
            raise ValueError(f"{first} does not interact with itself")
        pairs = product(main[first].items(), main[second].items())
        columns |= {f"{a}:{b}": x * y for (a, x), (b, y) in pairs if (x * y).any()}
    matrix = np.stack(list(columns.values()), axis=1) if columns else np.zeros((len(codes), 0))
    return Design(tuple(columns), matrix)


def _dummies(codes: Sequence[Code], factor: Factor) -> dict[str, Vector]:
    said = [code.level(factor) for code in codes]
    present = [level for level in LEVELS[factor] if level in said]
    return {f"{factor}={level}": np.array([float(each == level) for each in said]) for level in present[1:]}


@dataclass(frozen=True, slots=True)
class Effect:
    """An effect in rating points (400 / ln 10 a nat), with its interval; all ``None`` where the design cannot tell it."""

    name: str
    estimate: float | None
    error: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class LackOfFit:
    """How far the strengths lie off the factors: a chi-square of *df* if they lie on them. ``p`` is ``None`` with no degree of freedom left."""

    chi_square: float
    df: int
    p: float | None


@dataclass(frozen=True, slots=True, eq=False)
class FactorFit:
    """Effects of the factors.

    Parameters
    ----------
    names
        The ``q`` columns of the design.
    coefficients
        Shape ``(q,)``, in nats; where the design does not determine them, the shortest solution.
    covariance
        Shape ``(q, q)``, in nats squared, of vote noise alone.
    estimable
        Shape ``(q, q)``: the projection on what the design determines. A contrast that it leaves unchanged is estimable.
    lack_of_fit
        Of the strengths from the factors.
    interval
        The confidence level of the intervals.
    allow_misfit
        Whether errors carry the lack of fit.
    """

    names: tuple[str, ...]
    coefficients: Vector
    covariance: Matrix
    estimable: Matrix
    lack_of_fit: LackOfFit
    interval: float
    allow_misfit: bool

    @property
    def inflation(self) -> float:
        """What errors are multiplied by: 1, or Birge's ratio, the root of chi-square a degree of freedom, where misfit is allowed and above 1."""
        test = self.lack_of_fit
        return sqrt(max(1.0, test.chi_square / test.df)) if self.allow_misfit and test.df else 1.0

    @property
    def effects(self) -> tuple[Effect, ...]:
        """One row a column of the design."""
        units = np.eye(len(self.names))
        return tuple(self.contrast(unit, name) for unit, name in zip(units, self.names, strict=True))

    def contrast(self, vector: Vector, name: str = "contrast") -> Effect:
        """Any linear combination of the columns, *vector* of shape ``(q,)``; ``ValueError`` for another shape."""
        if vector.shape != self.coefficients.shape:
            raise ValueError(
                f"a contrast of shape {vector.shape} for {len(self.names)} columns: {', '.join(self.names)}"
            )
        if np.abs(vector @ self.estimable - vector).max(initial=0.0) > _ESTIMABLE:
            return Effect(name, None, None, None, None)
        estimate = float(vector @ self.coefficients) * SCALE
        error = sqrt(max(float(vector @ self.covariance @ vector), 0.0)) * SCALE * self.inflation
        reach = self._reach() * error
        return Effect(name, estimate, error, estimate - reach, estimate + reach)

    def _reach(self) -> float:
        if self.inflation == 1.0:
            return quantile(self.interval)
        return float(scipy.stats.t.ppf((1 + self.interval) / 2, self.lack_of_fit.df))


def least_squares(
    strengths: Vector,
    covariance: Matrix,
    design: Design,
    *,
    interval: float = 0.95,
    allow_misfit: bool = False,
) -> FactorFit:
    """Fit factors to strengths by generalised least squares with the full covariance.

    Parameters
    ----------
    strengths
        Shape ``(k,)``, in nats, up to a constant: all models of a board or some of them.
    covariance
        Shape ``(k, k)``, in nats squared, of these strengths: per vote or clustered, singular along the constant or not.
    design
        A row for each of the ``k`` models.
    interval
        Confidence level of the intervals, between 0 and 1.
    allow_misfit
        Whether the lack of fit widens the intervals: errors times Birge's ratio, and Student's t with the degrees of freedom of the lack of fit. Without it
        the intervals hold for vote noise only, so if the lack of fit is significant they are those of a description, not of a law.

    Returns
    -------
    FactorFit
        Coefficients, their covariance, and the lack of fit with ``k - 1 - rank`` degrees of freedom.

    Raises
    ------
    ValueError
        If shapes do not match, or the interval is no probability.
    NoFit
        If there are fewer than two models, or the covariance is singular beyond the constant.

    Notes
    -----
    A. C. Aitken, "On least squares and linear combination of observations", Proc. R. Soc. Edinburgh 55 (1936). Strengths have no constant, so strengths and
    columns are centred, which makes the covariance ``V`` singular along the constant; as the centred columns lie in its range, weighting by ``V+`` gives
    the best linear unbiased estimate (C. R. Rao, "Unified theory of linear estimation", Sankhya A 33, 1971). With empty cells only estimable functions are
    told (S. R. Searle, *Linear Models*, Wiley, 1971, chapter 5). R. T. Birge, "The calculation of errors by the method of least squares", Phys. Rev. 40 (1932).
    """
    _check_sizes(strengths, covariance, design, interval)
    y, x = strengths - strengths.mean(), design.matrix - design.matrix.mean(axis=0)
    weighted = _weighted(covariance, np.column_stack([y, x]))
    information = x.T @ weighted[:, 1:]
    inverse = np.linalg.pinv(information, rcond=1e-10, hermitian=True)
    coefficients = inverse @ (x.T @ weighted[:, 0])
    residual = y - x @ coefficients
    rest = float(residual @ (weighted[:, 0] - weighted[:, 1:] @ coefficients))
    df = len(y) - 1 - int(np.linalg.matrix_rank(x))
    test = LackOfFit(max(rest, 0.0), df, float(scipy.stats.chi2.sf(rest, df)) if df else None)
    return FactorFit(design.names, coefficients, inverse, inverse @ information, test, interval, allow_misfit)


def _check_sizes(strengths: Vector, covariance: Matrix, design: Design, interval: float) -> None:
    k = len(strengths)
    if covariance.shape != (k, k) or design.matrix.shape != (k, len(design.names)):
        raise ValueError(
            f"{k} strengths, a covariance of {covariance.shape}, a design of {design.matrix.shape}"
        )
    if not 0 < interval < 1:
        raise ValueError("the interval is a probability between 0 and 1")
    if k < 2:
        raise NoFit("factors need at least two models")


def _weighted(covariance: Matrix, columns: Matrix) -> Matrix:
    """``V+`` times columns that are centred, with ``V`` the centred covariance."""
    centred = covariance - covariance.mean(axis=0)
    centred = centred - centred.mean(axis=1, keepdims=True)
    filled, _ = regular((centred + centred.T) / 2)
    if not np.isfinite(filled).all() or np.linalg.cond(filled) > _WORST_CONDITION:
        raise NoFit("the strengths' covariance is singular")
    return np.asarray(np.linalg.solve(filled, columns), dtype=np.float64)


def factor_effects(
    tally: Tally,
    codes: Mapping[str, Code] | None = None,
    *,
    interactions: Iterable[tuple[Factor, Factor]] = (),
    ties: TieRule = TieRule.HALF,
    interval: float = 0.95,
    allow_misfit: bool = False,
) -> FactorFit:
    """Effects of the code's factors on the strengths of a tally, other factors held.

    Parameters
    ----------
    tally
        Counts of shape ``(m, m, 4)``; all models are fitted, those with a code are explained.
    codes
        From models to their codes; :func:`trained_codes` if left out. Add ``LLAMA_INSTRUCT`` under the cell it shall stand for to count it in.
    interactions
        Pairs of factors.
    ties, interval, allow_misfit
        As in :func:`ranking.fit.fit_bradley_terry` and :func:`least_squares`.

    Returns
    -------
    FactorFit
        With per-vote sandwich covariance. For a clustered one, call :func:`least_squares`.

    Raises
    ------
    NoFit, NotConverged
        If the tally has no fit, or fewer than two of its models have a code.
    """
    known = trained_codes(tally.models) if codes is None else codes
    at = [place for place, name in enumerate(tally.models) if name in known]
    fit = fit_bradley_terry(tally, ties=ties)
    covariance = sandwich_covariance(tally, fit)[np.ix_(at, at)]
    design = factor_design([known[tally.models[place]] for place in at], interactions)
    return least_squares(fit.strengths[at], covariance, design, interval=interval, allow_misfit=allow_misfit)
