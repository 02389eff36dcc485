from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from ranking.models import BenchmarkScore

pytestmark = pytest.mark.django_db
CARRIED = Path(__file__).resolve().parents[2] / "ranking" / "data"


def run(file: Path, *options: str) -> dict[str, object]:
    out = io.StringIO()
    call_command("import_benchmarks", str(file), *options, stdout=out)
    report: dict[str, object] = json.loads(out.getvalue())
    return report


def refused(file: Path, *options: str) -> str:
    with pytest.raises(CommandError) as caught:
        call_command("import_benchmarks", str(file), *options)
    assert caught.value.returncode == 2
    assert not BenchmarkScore.objects.exists()
    return str(caught.value)


def test_the_carried_basque_table_is_stored_once() -> None:
    first = run(CARRIED / "benchmarks_eu.csv")
    assert first == {
        "layout": "csv",
        "languages": ["eu"],
        "n_models": 28,
        "n_benchmarks": 14,
        "n_scores": first["n_scores"],
        "new": first["n_scores"],
        "changed": 0,
        "unchanged": 0,
        "skipped": [],
        "dry_run": False,
    }
    assert BenchmarkScore.objects.count() == first["n_scores"]
    row = BenchmarkScore.objects.get(model="exp_0_000", benchmark="arc_eu_easy")
    assert (row.language, row.score) == ("eu", 49.75)
    assert run(CARRIED / "benchmarks_eu.csv")["unchanged"] == first["n_scores"]


def test_a_result_file_of_the_harness_is_stored_under_the_boards_name(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    tasks = {"arc_eu_easy": {"acc,none": 0.5}, "wikitext": {"word_perplexity,none": 9}}
    file.write_text(json.dumps({"results": tasks, "model_name": "HiTZ/x"}))
    report = run(file, "--layout", "lm-eval", "--model", "exp_1_111")
    assert (report["n_scores"], report["skipped"]) == (1, ["wikitext"])
    row = BenchmarkScore.objects.get()
    assert (row.model, row.language, row.score) == ("exp_1_111", "eu", 50.0)


def test_a_dry_run_reads_everything_and_stores_nothing() -> None:
    report = run(CARRIED / "benchmarks_es.csv", "--dry-run")
    assert (report["dry_run"], report["new"]) == (True, report["n_scores"])
    assert not BenchmarkScore.objects.exists()


def test_a_bad_cell_is_named_and_nothing_is_stored(tmp_path: Path) -> None:
    file = tmp_path / "benchmarks_eu.csv"
    file.write_text("model,t,u\na,1,2\nb,101,2\n")
    assert refused(file) == f"{file}: line 3, column t: '101' is not a score between 0 and 100"
    assert "No such file" in refused(tmp_path / "nothing.csv")
    assert "is not JSON" in refused(file, "--layout", "lm-eval")


def test_a_language_that_nothing_says_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("model,hellaswag\na,1\n")
    assert "column hellaswag: " in refused(file)
    assert "--language" in refused(file)
    assert run(file, "--language", "en")["languages"] == ["en"]
