from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from ranking import reference
from ranking.board import build_board
from ranking.correlation import (
    LANGUAGES,
    Benchmarks,
    Correlation,
    correlate,
    fisher_interval,
    mean_ranks,
    published_benchmarks,
    read_benchmarks,
    study_models,
)
from ranking.errors import BadInput
from ranking.factors import LLAMA_INSTRUCT
from ranking.readers import read_tally
from ranking.types import Status


def published_ratings(criterion: str) -> dict[str, float]:
    rows = {row.model: float(getattr(row, criterion)) for row in reference.published_ratings()}
    return {name: rows[name] for name in study_models(list(rows))}


def make_benchmarks(*rows: tuple[str, list[float]]) -> Benchmarks:
    names, scores = zip(*rows, strict=True)
    return Benchmarks(names, tuple(f"t{i}" for i in range(len(scores[0]))), np.array(scores))


def make_file(folder: Path, content: str | bytes) -> Path:
    path = folder / "benchmarks.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refused(folder: Path, content: str | bytes) -> BadInput:
    with pytest.raises(BadInput) as caught:
        read_benchmarks(make_file(folder, content))
    return caught.value


@pytest.mark.parametrize(
    ("criterion", "language", "rho"),
    [
        ("overall", "eu", 0.884),
        ("content", "eu", 0.869),
        ("language", "eu", 0.825),
        ("overall", "en", -0.073),
        ("overall", "es", -0.081),
    ],
)
def test_the_published_ratings_correlate_with_the_benchmarks_of_a_language(
    criterion: str, language: str, rho: float
) -> None:
    found = correlate(published_benchmarks(language), published_ratings(criterion))
    assert found.rho == pytest.approx(rho, abs=0.002)
    assert found.n_models == 18
    assert found.status is Status.OK


def test_the_exact_refit_correlates_nearly_as_the_published_ratings_do() -> None:
    board = build_board(read_tally(reference.pairs_path()))
    refit = {row.model: row.rating for row in board.ratings if row.rating is not None}
    chosen = {name: refit[name] for name in study_models(list(refit))}
    assert correlate(published_benchmarks("eu"), chosen).rho == pytest.approx(0.880, abs=0.001)


def test_only_the_basque_interval_leaves_zero_out() -> None:
    found = {
        language: correlate(published_benchmarks(language), published_ratings("overall"))
        for language in LANGUAGES
    }
    assert found["eu"].low == pytest.approx(0.65, abs=0.02)
    assert found["eu"].high == pytest.approx(0.96, abs=0.02)
    for language in ("en", "es"):
        low, high = found[language].low, found[language].high
        assert low is not None
        assert high is not None
        assert low < 0 < high


def test_the_carried_tables_hold_28_models_each() -> None:
    tasks = {language: published_benchmarks(language).tasks for language in LANGUAGES}
    assert {language: len(names) for language, names in tasks.items()} == {"eu": 14, "en": 9, "es": 4}
    for language in LANGUAGES:
        table = published_benchmarks(language)
        assert len(table.models) == 28
        assert table.scores.shape == (28, len(table.tasks))
        assert np.isnan(table.of(["gpt-4o-2024-11-20"])).any()
    with pytest.raises(ValueError, match="'fr'"):
        published_benchmarks("fr")


def test_eighteen_models_of_8b_took_part() -> None:
    chosen = study_models([row.model for row in reference.published_ratings()])
    assert len(chosen) == 18
    assert LLAMA_INSTRUCT in chosen
    assert not any("70B" in name or "gpt" in name or "claude" in name for name in chosen)


def test_a_released_model_has_the_row_of_the_cell_it_stands_for() -> None:
    table = published_benchmarks("eu")
    assert table.of([LLAMA_INSTRUCT]).tolist() == table.of(["exp_2_001"]).tolist()
    assert table.of(["Latxa-Llama-3.1-8B"]).tolist() == table.of(["exp_1_100"]).tolist()
    own = make_benchmarks((LLAMA_INSTRUCT, [1.0]), ("exp_2_000", [2.0]))
    assert own.of([LLAMA_INSTRUCT]).tolist() == [[1.0]]
    with pytest.raises(KeyError, match="nobody"):
        table.of(["nobody"])


def test_equal_scores_share_the_larger_rank() -> None:
    assert mean_ranks(np.array([[9.0], [5.0], [5.0], [1.0]])).tolist() == [1, 3, 3, 4]


def test_ranks_are_averaged_over_tasks_and_ranked_again() -> None:
    scores = np.array([[90.0, 10.0, 30.0], [80.0, 30.0, 20.0], [70.0, 20.0, 10.0]])
    assert mean_ranks(scores).tolist() == [2, 2, 3]  # averages 5/3, 5/3, 8/3
    with pytest.raises(ValueError, match="every task"):
        mean_ranks(np.array([[1.0], [np.nan]]))


@settings(max_examples=40)
@given(st.integers(4, 18), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_any_increasing_scale_of_a_task_or_of_the_ratings_gives_the_same(n: int, t: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, ratings = rng.integers(0, 100, (n, t)).astype(float), rng.integers(0, 50, n).astype(float)
    names = tuple(f"m{i}" for i in range(n))
    tasks = tuple(f"t{i}" for i in range(t))
    plain = correlate(Benchmarks(names, tasks, scores), dict(zip(names, ratings, strict=True)))
    bent = correlate(Benchmarks(names, tasks, scores**3), dict(zip(names, np.exp(ratings / 9), strict=True)))
    assert plain == bent


def test_one_task_without_ties_is_spearman_as_everybody_takes_it() -> None:
    rng = np.random.default_rng(3)
    scores, ratings = rng.permutation(12).astype(float), rng.permutation(12).astype(float)
    table = make_benchmarks(*((f"m{i}", [score]) for i, score in enumerate(scores)))
    found = correlate(table, {f"m{i}": rating for i, rating in enumerate(ratings)})
    assert found.rho == pytest.approx(spearmanr(scores, ratings).statistic)


def test_a_task_that_somebody_was_not_measured_on_is_left_out() -> None:
    table = make_benchmarks(("a", [1, np.nan]), ("b", [2, 1]), ("c", [4, 2]), ("d", [3, 3]))
    found = correlate(table, {"a": 1, "b": 2, "c": 3, "d": 4})
    assert (found.n_models, found.n_tasks) == (4, 1)
    assert correlate(table, {"b": 2, "c": 3, "d": 4}).n_tasks == 2
    with pytest.raises(KeyError):
        correlate(table, {"a": 1, "z": 2})


def test_the_interval_covers_the_truth_at_18_models() -> None:
    rng = np.random.default_rng(18)
    for pearson in (0.0, 0.5, 0.87):
        truth = 6 / np.pi * np.arcsin(pearson / 2)
        x = rng.normal(size=(1500, 18))
        y = pearson * x + np.sqrt(1 - pearson**2) * rng.normal(size=(1500, 18))
        ranked = [np.argsort(np.argsort(part, axis=1), axis=1) for part in (x, y)]
        rho = 1 - 6 * ((ranked[0] - ranked[1]) ** 2).sum(axis=1) / (18 * (18**2 - 1))
        held = [low <= truth <= high for low, high in (fisher_interval(each, 18, 0.95) for each in rho)]
        assert 0.92 <= np.mean(held) <= 0.975


def test_the_interval_of_no_correlation_is_as_wide_as_the_docstring_says() -> None:
    assert fisher_interval(0.0, 18, 0.95) == pytest.approx((-0.467, 0.467), abs=0.001)


@pytest.mark.parametrize(
    ("ratings", "status"),
    [
        ({}, Status.INSUFFICIENT),
        ({"a": 1.0}, Status.INSUFFICIENT),
        ({"a": 1.0, "b": 1.0}, Status.INSUFFICIENT),
        ({"a": 1.0, "b": 2.0}, Status.PROVISIONAL),
        ({"a": 2.0, "b": 1.0, "c": 3.0}, Status.PROVISIONAL),
        ({"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0}, Status.PROVISIONAL),
        ({"a": 1.0, "b": 2.0, "c": 4.0, "d": 3.0}, Status.OK),
    ],
)
def test_what_says_too_little_has_no_number(ratings: dict[str, float], status: Status) -> None:
    table = make_benchmarks(("a", [1.0]), ("b", [2.0]), ("c", [3.0]), ("d", [4.0]))
    found = correlate(table, ratings)
    assert found.status is status
    assert (found.rho is None) == (status is Status.INSUFFICIENT)
    assert (found.low is None) == (found.high is None) == (status is not Status.OK)


def test_tasks_without_an_order_have_no_correlation() -> None:
    table = make_benchmarks(("a", [1.0]), ("b", [1.0]), ("c", [1.0]))
    found = correlate(table, {"a": 1.0, "b": 2.0, "c": 3.0})
    assert found == Correlation(3, 1, None, None, None, 0.95, Status.INSUFFICIENT)


def test_what_is_no_number_or_no_probability_is_refused() -> None:
    table = make_benchmarks(("a", [1.0]), ("b", [2.0]))
    with pytest.raises(ValueError, match="rating"):
        correlate(table, {"a": 1.0, "b": float("nan")})
    with pytest.raises(ValueError, match="probability"):
        correlate(table, {"a": 1.0, "b": 2.0}, interval=1.0)


def test_scores_are_read_and_the_mean_is_not_one_of_them(tmp_path: Path) -> None:
    table = read_benchmarks(make_file(tmp_path, "\ufeffmodel,t1,mean,t2\r\n a ,1.5,9,\r\nb,0,9,100\r\n"))
    assert (table.models, table.tasks) == (("a", "b"), ("t1", "t2"))
    assert table.scores.tolist()[1] == [0, 100]
    assert table.scores[0, 0] == 1.5
    assert np.isnan(table.scores[0, 1])


def test_scores_as_json_lines_are_read(tmp_path: Path) -> None:
    table = read_benchmarks(make_file(tmp_path, '{"model": "a", "t": 12.25}\n{"model": "b", "t": null}\n'))
    assert table.scores[0, 0] == 12.25
    assert np.isnan(table.scores[1, 0])


def test_a_header_alone_is_a_table_without_models(tmp_path: Path) -> None:
    table = read_benchmarks(make_file(tmp_path, "model,t\n"))
    assert table.scores.shape == (0, 1)
    assert correlate(table, {}).status is Status.INSUFFICIENT


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("", 1, "model"),
        (" \n", 1, "model"),
        ("name,t\na,1\n", 1, "model"),
        ("model\na\n", 1, "2"),
        ("model,mean\na,1\n", 1, "3"),
        ("model,t,\na,1,2\n", 1, "with no name"),
        ("model,t,t\n", 1, "t"),
        ("model,t\na,1\na,2\n", 3, "model"),
        ("model,t\n,1\n", 2, "model"),
        (f"model,t\n{'a' * 121},1\n", 2, "model"),
        ("model,t,u\na,1,2\nb,1,much\n", 3, "u"),
        ("model,t\na,-1\n", 2, "t"),
        ("model,t\na,100.01\n", 2, "t"),
        ("model,t\na,nan\n", 2, "t"),
        ("model,t\na,1e1\n", 2, "t"),
        ("model,t\na,1,2\n", 2, "3"),
        ("model,t,u\na,1\n", 2, "u"),
        ('{"model": "a", "t": NaN}', 1, "t"),
        ('{"model": "a", "t": true}', 1, "t"),
        ('{"model": 5, "t": 1}', 1, "model"),
        ('{"model": "a", "t": 1}\n[]', 2, "1"),
    ],
)
def test_a_bad_table_is_refused_with_its_line_and_column(
    tmp_path: Path, text: str, line: int, column: str
) -> None:
    error = refused(tmp_path, text)
    assert (error.line, error.column) == (line, column)
    assert len(str(error)) < 200


def test_what_is_no_text_or_no_file_is_refused(tmp_path: Path) -> None:
    error = refused(tmp_path, b"model,t\na,\xff\n")
    assert (error.line, error.column) == (2, "byte 3")
    with pytest.raises(BadInput, match="No such file"):
        read_benchmarks(tmp_path / "none.csv")
