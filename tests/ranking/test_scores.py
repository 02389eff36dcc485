from __future__ import annotations

import json
from pathlib import Path

import pytest

from ranking.correlation import LANGUAGES, published_benchmarks
from ranking.errors import BadInput
from ranking.scores import Score, ScoreFile, ScoreLayout, language_of, read_scores, scores_of


def table(folder: Path, content: str, name: str = "benchmarks.csv") -> Path:
    path = folder / name
    path.write_text(content)
    return path


def results(folder: Path, **tasks: float) -> Path:
    path = folder / "results.json"
    said = {task: {"acc,none": share} for task, share in tasks.items()}
    path.write_text(json.dumps({"results": said, "model_name": "HiTZ/x"}))
    return path


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_carried_benchmark_is_of_its_tables_language(language: str) -> None:
    assert {language_of(task) for task in published_benchmarks(language).tasks} == {language}


@pytest.mark.parametrize(
    ("task", "language"),
    [("xnli_eu_native", "eu"), ("belebele_eus_Latn_v2", "eu"), ("paws_es", "es"), ("flores-eng", "en")],
)
def test_a_part_of_a_benchmarks_name_says_its_language(task: str, language: str) -> None:
    assert language_of(task) == language


@pytest.mark.parametrize("task", ["hellaswag", "flores_en_eu", "euskara"])
def test_a_benchmark_of_unknown_or_two_languages_is_refused(task: str) -> None:
    with pytest.raises(BadInput, match=f"column {task}: .*--language"):
        language_of(task)


def test_what_was_not_measured_is_left_out(tmp_path: Path) -> None:
    path = table(tmp_path, "model,t,u,mean\na,1.5,,1.5\nb,2,3,2.5\n")
    assert read_scores(path, ScoreLayout.CSV, language="es") == ScoreFile(
        (Score("es", "t", "a", 1.5), Score("es", "t", "b", 2.0), Score("es", "u", "b", 3.0))
    )


def test_a_tables_language_is_said_by_its_name_unless_one_is_given(tmp_path: Path) -> None:
    path = table(tmp_path, "model,hellaswag\na,1\n", "benchmarks_eu.csv")
    assert [each.language for each in read_scores(path, ScoreLayout.CSV).scores] == ["eu"]
    assert [each.language for each in read_scores(path, ScoreLayout.CSV, language="en").scores] == ["en"]


def test_a_table_may_hold_benchmarks_of_several_languages(tmp_path: Path) -> None:
    path = table(tmp_path, "model,mmlu_eu,mmlu_es\na,1,2\n")
    found = read_scores(path, ScoreLayout.CSV).scores
    assert {each.benchmark: each.language for each in found} == {"mmlu_eu": "eu", "mmlu_es": "es"}


def test_a_result_files_model_is_called_as_asked(tmp_path: Path) -> None:
    path = results(tmp_path, arc_eu_easy=0.5)
    assert read_scores(path, ScoreLayout.LM_EVAL).scores == (Score("eu", "arc_eu_easy", "HiTZ/x", 50.0),)
    renamed = read_scores(path, ScoreLayout.LM_EVAL, model="exp_1_111", language="en").scores
    assert renamed == (Score("en", "arc_eu_easy", "exp_1_111", 50.0),)


@pytest.mark.parametrize("name", ["", "x" * 121, "a\nb"])
def test_a_model_needs_a_printable_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match="column model: a name of at most 120 printable characters"):
        read_scores(results(tmp_path, arc_eu_easy=0.5), ScoreLayout.LM_EVAL, model=name)


def test_what_cannot_be_stored_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no score"):
        read_scores(results(tmp_path), ScoreLayout.LM_EVAL)
    with pytest.raises(BadInput, match="a table names its models itself"):
        read_scores(table(tmp_path, "model,t\na,1\n"), ScoreLayout.CSV, model="b")
    with pytest.raises(BadInput, match="at most 120 printable characters"):
        read_scores(table(tmp_path, f"model,{'t' * 121}\na,1\n"), ScoreLayout.CSV, language="eu")


def test_a_table_of_one_language_gives_the_same_scores_when_each_benchmark_says_its_own() -> None:
    for language in LANGUAGES:
        table_of = published_benchmarks(language)
        assert scores_of(table_of) == scores_of(table_of, language)
    assert len(scores_of(published_benchmarks("eu"))) == 379
