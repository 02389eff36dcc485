from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, kstest

from ranking import reference
from ranking.board import SCALE
from ranking.contrasts import FORMS, fits_of
from ranking.errors import NoFit, UnboundedTally
from ranking.factors import (
    LLAMA_INSTRUCT,
    UNTRAINED,
    Code,
    Design,
    Factor,
    FactorFit,
    corpus_levels,
    factor_design,
    factor_effects,
    grouped_board,
    instruction_levels,
    least_squares,
    merge_by_level,
    trained_codes,
)
from ranking.fit import fit_bradley_terry
from ranking.readers import read_tally
from ranking.tally import Tally
from ranking.types import Status, TieRule
from ranking.uncertainty import sandwich_covariance
from tests.ranking.builders import NAMES, Vote, make_tally, simulated, votes_strategy

GRID = tuple(
    str(Code(*cell))
    for cell in product((0, 1, 2), (False, True), (False, True), (False, True))
    if any(cell[2:])
)


@pytest.fixture(scope="module")
def published() -> Tally:
    return read_tally(reference.pairs_path())


def ratings_of(tally: Tally, levels: dict[str, str]) -> dict[str, float | None]:
    return {row.model: row.rating for row in grouped_board(tally, levels).ratings}


def make_grid(effect: dict[str, float], *, per_pair: int, seed: int) -> Tally:
    """A board of every trained cell whose strengths, in nats, are the sums of their levels' effects."""
    design = factor_design([code for name in GRID if (code := Code.parse(name))])
    strengths = design.matrix @ np.array([effect.get(name, 0.0) for name in design.names])
    tally = simulated(
        strengths - strengths.mean(), per_pair=per_pair, tie_rate=0.3, rng=np.random.default_rng(seed)
    )
    return Tally(GRID, tally.counts)


def effect_of(fit: FactorFit, name: str) -> tuple[float, float]:
    row = fit.effects[fit.names.index(name)]
    assert row.estimate is not None
    assert row.error is not None
    return row.estimate, row.error


def test_a_code_says_backbone_corpus_and_instructions() -> None:
    code = Code.parse("exp_2_101")
    assert code == Code(backbone=2, corpus=True, eu=False, en=True)
    assert [code.level(factor) for factor in Factor] == ["inst_en", "with", "en"]
    assert Code(1, corpus=False, eu=True, en=False).level(Factor.INSTRUCTIONS) == "eu"
    assert Code(0, corpus=False, eu=True, en=True).level(Factor.INSTRUCTIONS) == "both"
    assert Code(0, corpus=False, eu=False, en=False).level(Factor.INSTRUCTIONS) == "none"


@pytest.mark.parametrize(
    "name", ["exp_3_101", "exp_2_101_70b", "exp_2_10", " exp_2_101", "EXP_2_101", "exp_2_10١"]
)
def test_what_is_no_code_has_none(name: str) -> None:
    assert Code.parse(name) is None


@given(st.sampled_from((0, 1, 2)), st.booleans(), st.booleans(), st.booleans())
def test_a_written_code_reads_back(backbone: int, corpus: bool, eu: bool, en: bool) -> None:
    code = Code(backbone, corpus, eu, en)
    assert Code.parse(str(code)) == code


def test_the_published_board_holds_seventeen_trained_codes_and_no_untrained_cell(published: Tally) -> None:
    trained = trained_codes(published.models)
    assert len(trained) == 17
    assert not set(trained) & set(UNTRAINED)
    assert len(trained) + len(UNTRAINED) == 24


def test_the_corpus_ratings_are_the_published_ones(published: Tally) -> None:
    levels = corpus_levels(published.models)
    assert len(levels) == 18
    found = ratings_of(published, levels)
    assert found["without"] == pytest.approx(958, abs=1)
    assert found["with"] == pytest.approx(1041, abs=1)


def test_the_instruction_ratings_are_the_published_ones(published: Tally) -> None:
    levels = instruction_levels(published.models)
    assert len(levels) == 10
    assert [name for name, level in levels.items() if level == "none"] == ["exp_2_100"]
    found = ratings_of(published, levels)
    for level, rating in {"none": 932, "en": 1028, "eu": 1005, "both": 1033}.items():
        assert found[level] == pytest.approx(rating, abs=1)


def test_other_models_in_the_groups_do_not_give_the_published_ratings(published: Tally) -> None:
    trained = trained_codes(published.models)
    corpus = {name: code.level(Factor.CORPUS) for name, code in trained.items()}
    assert ratings_of(published, corpus)["with"] == pytest.approx(1030.2, abs=0.1)
    instructions = {name: code.level(Factor.INSTRUCTIONS) for name, code in trained.items()}
    assert ratings_of(published, instructions)["none"] == pytest.approx(962.2, abs=0.1)


def test_grouped_ratings_carry_the_sandwich_interval_of_the_merged_tally(published: Tally) -> None:
    merged = merge_by_level(published, corpus_levels(published.models))
    error = np.sqrt(sandwich_covariance(merged, fit_bradley_terry(merged))[0, 0]) * SCALE
    (top, _) = grouped_board(published, corpus_levels(published.models), interval=0.9).ratings
    assert top.half_width == pytest.approx(1.6448536 * error)


def test_battles_within_a_level_and_of_models_without_one_are_left_out() -> None:
    tally = make_tally("a>b*3", "a>c", "c<b*2", "c=a*4", "d>a*5", "b!c*6")
    merged = merge_by_level(tally, {"a": "x", "b": "x", "c": "y", "stranger": "z"})
    assert merged.equals(make_tally("x>y", "y<x*2", "y=x*4", "x!y*6"))


@settings(max_examples=50)
@given(votes_strategy, st.lists(st.sampled_from("xyz"), min_size=5, max_size=5))
def test_merging_counts_each_vote_between_levels_once(votes: list[Vote], said: list[str]) -> None:
    levels = dict(zip(NAMES, said, strict=True))
    relabelled = [(levels[a], levels[b], outcome) for a, b, outcome in votes if levels[a] != levels[b]]
    assert merge_by_level(Tally.from_votes(votes), levels).equals(Tally.from_votes(relabelled))


def test_levels_that_cannot_be_rated_say_why() -> None:
    assert grouped_board(Tally.empty([]), {}).status is Status.EMPTY
    assert grouped_board(make_tally("a>b"), {"a": "x", "b": "x"}).status is Status.EMPTY
    assert grouped_board(make_tally("a>b*9"), {"a": "x", "b": "y"}).status is Status.UNBOUNDED


def test_effects_are_told_against_the_first_level_that_occurs() -> None:
    codes = [Code.parse("exp_1_011"), Code.parse("exp_2_101"), Code.parse("exp_2_110")]
    design = factor_design([code for code in codes if code])
    assert design.names == ("backbone=inst_en", "corpus=with", "instructions=eu", "instructions=both")
    assert design.matrix.tolist() == [[0, 0, 0, 1], [1, 1, 0, 0], [1, 1, 1, 0]]


def test_an_interaction_has_a_column_for_each_pair_of_levels_that_occurs() -> None:
    codes = [code for name in ("exp_0_001", "exp_0_110", "exp_1_001") if (code := Code.parse(name))]
    design = factor_design(codes, [(Factor.CORPUS, Factor.INSTRUCTIONS), (Factor.BACKBONE, Factor.CORPUS)])
    assert design.names == (
        "backbone=base_eu",
        "corpus=with",
        "instructions=eu",
        "corpus=with:instructions=eu",
    )
    with pytest.raises(ValueError, match="itself"):
        factor_design(codes, [(Factor.CORPUS, Factor.CORPUS)])


def test_effects_of_a_simulated_grid_come_back() -> None:
    true = {"corpus=with": 0.5, "instructions=eu": -0.2, "backbone=inst_en": 0.3}
    fit = factor_effects(make_grid(true, per_pair=4000, seed=4))
    for name in fit.names:
        estimate, error = effect_of(fit, name)
        assert abs(estimate / SCALE - true.get(name, 0.0)) < 4 * error / SCALE
        assert 0 < error < 3
    assert fit.lack_of_fit.df == len(GRID) - 1 - 5
    assert fit.lack_of_fit.p is not None
    assert fit.lack_of_fit.p > 0.001


def test_intervals_cover_and_the_lack_of_fit_is_uniform_where_the_factors_are_true() -> None:
    true = {"corpus=with": 0.4, "instructions=both": 0.2, "backbone=base_eu": -0.3}
    held: list[bool] = []
    p_values: list[float] = []
    for seed in range(150):
        fit = factor_effects(make_grid(true, per_pair=25, seed=seed))
        for row in fit.effects:
            assert row.low is not None
            assert row.high is not None
            held.append(row.low <= true.get(row.name, 0.0) * SCALE <= row.high)
        p_values.append(fit.lack_of_fit.p or 0.0)
    assert 0.925 <= np.mean(held) <= 0.975
    assert kstest(p_values, "uniform").pvalue > 0.01


def test_the_corpus_helps_all_but_the_backbone_that_has_seen_it(published: Tally) -> None:
    plain = factor_effects(published)
    assert plain.lack_of_fit.df == 10
    assert plain.lack_of_fit.chi_square == pytest.approx(140.6, abs=0.1)
    crossed = factor_effects(published, interactions=[(Factor.BACKBONE, Factor.CORPUS)])
    assert crossed.lack_of_fit.df == 8
    assert crossed.lack_of_fit.chi_square == pytest.approx(10.77, abs=0.01)
    assert crossed.lack_of_fit.p == pytest.approx(0.215, abs=0.001)
    vector = np.array(
        [name in {"corpus=with", "backbone=base_eu:corpus=with"} for name in crossed.names], float
    )
    on_latxa = crossed.contrast(vector, "corpus on Latxa")
    assert on_latxa.estimate == pytest.approx(2.8, abs=0.1)
    assert effect_of(crossed, "corpus=with")[0] == pytest.approx(103.0, abs=0.1)


def test_a_stand_in_can_be_counted_in(published: Tally) -> None:
    llama = Code(backbone=2, corpus=False, eu=False, en=True)
    fit = factor_effects(published, trained_codes(published.models) | {LLAMA_INSTRUCT: llama})
    assert fit.lack_of_fit.df == 11
    assert fit.lack_of_fit.chi_square > factor_effects(published).lack_of_fit.chi_square


def test_least_squares_are_those_of_a_whitened_system_without_one_model() -> None:
    rng = np.random.default_rng(8)
    k, q = 7, 3
    root = rng.normal(size=(k, k))
    covariance, y, x = root @ root.T, rng.normal(size=k), rng.normal(size=(k, q))
    fit = least_squares(y, covariance, Design(("a", "b", "c"), x))
    differences = np.column_stack([-np.ones(k - 1), np.eye(k - 1)])
    white = np.linalg.inv(np.linalg.cholesky(differences @ covariance @ differences.T)) @ differences
    solved, rest, _, _ = np.linalg.lstsq(white @ x, white @ y, rcond=None)
    assert fit.coefficients == pytest.approx(solved)
    assert fit.lack_of_fit.chi_square == pytest.approx(rest[0])
    assert fit.covariance == pytest.approx(np.linalg.inv(x.T @ white.T @ white @ x))
    assert fit.lack_of_fit.p == pytest.approx(chi2.sf(rest[0], k - 1 - q))


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_models_and_the_reference_level_do_not_change_the_fit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    k = 9
    root = rng.normal(size=(k, k))
    covariance, y = root @ root.T, rng.normal(size=k)
    level = np.arange(k) % 3
    told = [np.stack([level == each for each in pair], axis=1).astype(float) for pair in ((1, 2), (0, 2))]
    first, second = (least_squares(y, covariance, Design(("a", "b"), x)) for x in told)
    assert second.lack_of_fit.chi_square == pytest.approx(first.lack_of_fit.chi_square)
    one, other = first.contrast(np.array([1.0, -1.0])), second.contrast(np.array([0.0, -1.0]))
    assert (one.estimate, one.error) == pytest.approx((other.estimate, other.error))
    turn = rng.permutation(k)
    turned = least_squares(y[turn], covariance[np.ix_(turn, turn)], Design(("a", "b"), told[0][turn]))
    assert turned.coefficients == pytest.approx(first.coefficients)


def test_the_interval_of_an_effect_is_normal_at_the_level_asked_for(published: Tally) -> None:
    for level, reach in ((0.95, 1.959964), (0.9, 1.644854)):
        for row in factor_effects(published, interval=level).effects:
            assert row.estimate is not None
            assert row.low is not None
            assert row.estimate - row.low == pytest.approx(reach * (row.error or 0), rel=1e-6)


def test_effects_under_dropped_ties_are_on_their_own_larger_scale(published: Tally) -> None:
    half = effect_of(factor_effects(published), "corpus=with")
    dropped = effect_of(factor_effects(published, ties=TieRule.DROP), "corpus=with")
    assert dropped[0] > 1.1 * half[0]
    assert dropped[1] > half[1]


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(-50, 50))
def test_a_constant_on_the_strengths_changes_nothing(seed: int, shift: float) -> None:
    rng = np.random.default_rng(seed)
    y, design = rng.normal(size=6), Design(("a",), rng.normal(size=(6, 1)))
    covariance = np.eye(6) + shift**2  # a common error of all strengths is no error of a difference
    moved = least_squares(y + shift, covariance, design)
    assert moved.coefficients == pytest.approx(least_squares(y, np.eye(6), design).coefficients)
    assert moved.covariance == pytest.approx(least_squares(y, np.eye(6), design).covariance)


def test_a_contrast_is_the_difference_of_its_effects(published: Tally) -> None:
    fit = factor_effects(published)
    vector = np.array(
        [{"instructions=en": 1.0, "instructions=eu": -1.0}.get(name, 0.0) for name in fit.names]
    )
    row = fit.contrast(vector, "EN less EU")
    assert row.name == "EN less EU"
    assert row.estimate == pytest.approx(
        effect_of(fit, "instructions=en")[0] - effect_of(fit, "instructions=eu")[0]
    )
    assert row.error is not None
    assert row.error < effect_of(fit, "instructions=en")[1]
    with pytest.raises(ValueError, match="6 columns"):
        fit.contrast(np.ones(3))


def test_what_empty_cells_leave_open_has_no_number() -> None:
    names = ("exp_0_010", "exp_1_110", "exp_2_110")
    tally = Tally(
        names, simulated(np.zeros(3), per_pair=50, tie_rate=0.2, rng=np.random.default_rng(1)).counts
    )
    fit = factor_effects(tally)
    assert fit.names == ("backbone=base_eu", "backbone=inst_en", "corpus=with")
    assert [row.estimate for row in fit.effects] == [None, None, None]
    assert [fit.effects[2].low, fit.effects[2].high, fit.effects[2].error] == [None, None, None]
    told = fit.contrast(np.array([1.0, -1.0, 0.0]))
    strengths = fit_bradley_terry(tally).strengths
    assert told.estimate == pytest.approx((strengths[1] - strengths[2]) * SCALE)
    assert fit.lack_of_fit.df == 0
    assert fit.lack_of_fit.p is None
    assert fit.lack_of_fit.chi_square == pytest.approx(0, abs=1e-9)


def test_codes_of_one_cell_have_no_effects_but_a_test_of_their_equality() -> None:
    tally = simulated(np.array([1.0, 0.0, -1.0]), per_pair=60, tie_rate=0.2, rng=np.random.default_rng(2))
    cell = Code(backbone=2, corpus=True, eu=True, en=True)
    fit = factor_effects(tally, dict.fromkeys(tally.models, cell))
    assert fit.effects == ()
    assert fit.lack_of_fit.df == 2
    assert fit.lack_of_fit.p is not None
    assert fit.lack_of_fit.p < 1e-6


def test_allowed_misfit_widens_the_intervals_and_never_narrows_them(published: Tally) -> None:
    plain, wide = factor_effects(published), factor_effects(published, allow_misfit=True)
    assert plain.inflation == 1
    assert wide.inflation == pytest.approx(np.sqrt(140.616 / 10), rel=1e-4)
    for narrow, wider in zip(plain.effects, wide.effects, strict=True):
        assert narrow.error is not None
        assert wider.error == pytest.approx(narrow.error * wide.inflation)
        assert wider.low is not None
        assert wider.estimate is not None
        assert wider.estimate - wider.low == pytest.approx(2.2281 * (wider.error or 0), rel=1e-4)
    exact = least_squares(
        np.array([0.0, 0.0, 1.0]), np.eye(3), Design(("x",), np.array([[0.0], [0], [1]])), allow_misfit=True
    )
    assert exact.inflation == 1


def test_what_has_no_effects_is_an_error_that_says_why() -> None:
    with pytest.raises(NoFit, match="two models"):
        factor_effects(make_tally("a>b", "b>a"))
    with pytest.raises(UnboundedTally):
        factor_effects(make_tally("exp_0_010>exp_0_110*9"))
    with pytest.raises(NoFit, match="singular"):
        least_squares(np.zeros(3), np.zeros((3, 3)), Design((), np.zeros((3, 0))))
    with pytest.raises(ValueError, match="3 strengths"):
        least_squares(np.zeros(3), np.eye(3), Design((), np.zeros((2, 0))))
    with pytest.raises(ValueError, match="probability"):
        least_squares(np.zeros(3), np.eye(3), Design((), np.zeros((3, 0))), interval=95)


@pytest.mark.parametrize(
    "votes", [["exp_0_010>exp_0_110*9"], ["exp_0_010>gpt", "gpt>exp_0_010"], ["gpt=exp_0_010"]]
)
def test_of_votes_that_allow_no_effects_no_form_is_fitted(votes: list[str]) -> None:
    tally = make_tally(*votes)
    assert fits_of(tally, trained_codes(tally.models)) == {}


def test_all_forms_are_fitted_to_the_published_votes(published: Tally) -> None:
    assert list(fits_of(published, trained_codes(published.models))) == list(FORMS)
