"""The study's benchmarks: the table of tasks, our task files, and real runs of the harness on a candidate."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from ranking.lm_eval import read_lm_eval
from training import cli
from training.errors import BadData, BadRecipe
from training.harness import table
from training.harness.results import merge
from training.harness.table import OWN_TASKS, Task, chosen, tasks

TABLES = Path(__file__).parents[2] / "ranking" / "data"


def columns(language: str) -> set[str]:
    with (TABLES / f"benchmarks_{language}.csv").open() as file:
        return set(next(csv.reader(file))) - {"model", "mean"}


def test_there_are_29_tasks_and_every_published_column_is_one() -> None:
    by_language = {
        language: {task.name for task in tasks() if task.language == language}
        for language in ("eu", "en", "es")
    }
    assert {language: len(names) for language, names in by_language.items()} == {"eu": 15, "en": 10, "es": 4}
    for language, names in by_language.items():
        assert columns(language) <= names


def test_five_shots_but_four_for_bbq() -> None:
    assert {task.name for task in tasks() if task.shots != 5} == {"bbq", "basqbbq"}
    assert {task.shots for task in tasks()} == {4, 5}


@pytest.mark.slow  # reads the harness's fourteen thousand task files, half a minute of a core
def test_upstream_has_every_task_that_is_not_ours_and_none_that_is() -> None:
    from lm_eval.tasks import TaskManager

    upstream = set(TaskManager().all_tasks)
    assert {task.name for task in tasks() if task.upstream in upstream} == {
        task.name for task in tasks() if not task.own
    }
    assert sum(task.own for task in tasks()) == 8


def test_the_harness_finds_our_tasks_and_every_one_says_what_is_unverified() -> None:
    from lm_eval.tasks import TaskManager

    known = set(TaskManager(include_path=str(OWN_TASKS), include_defaults=False).all_tasks)
    assert known == {task.name for task in tasks() if task.own}
    assert all(task.unverified for task in tasks() if task.own)


@pytest.mark.parametrize("name", sorted(path.stem for path in OWN_TASKS.glob("*.yaml")))
def test_a_task_file_is_named_for_its_task(name: str) -> None:
    text = (OWN_TASKS / f"{name}.yaml").read_text().replace("!function ", "")
    assert yaml.safe_load(text)["task"] == name


def test_tasks_are_chosen_by_name_and_language() -> None:
    assert chosen([], []) == tasks()
    assert {task.language for task in chosen([], ["es"])} == {"es"}
    assert [task.name for task in chosen(["bbq", "piqa"], ["en"])] == ["piqa", "bbq"]
    with pytest.raises(BadRecipe, match="squad"):
        chosen(["squad"], [])


def results(folder: Path, name: str, **tasks_: dict[str, Any]) -> Path:
    file = folder / f"results_{name}.json"
    sizes = {task: {"original": 10, "effective": fields.pop("size", 10)} for task, fields in tasks_.items()}
    file.write_text(json.dumps({"results": tasks_, "n-samples": sizes}))
    return file


def test_result_files_merge_under_the_studys_names(tmp_path: Path) -> None:
    results(tmp_path, "1", openbookqa_es={"acc,none": 0.5}, squad={"f1,none": 0.9})
    results(tmp_path, "2", bbq={"alias": "bbq", "acc,none": 0.25})
    merged = merge([tmp_path], "Txiki")
    assert merged["results"] == {"mmlu_es": {"acc,none": 0.5}, "bbq": {"alias": "bbq", "acc,none": 0.25}}
    assert merged["n-shot"] == {"mmlu_es": 5, "bbq": 4}
    assert len(merged["missing"]) == 27
    out = tmp_path / "scores.json"
    out.write_text(json.dumps(merged))
    assert read_lm_eval(out).scores == {"mmlu_es": 50.0, "bbq": 25.0}
    assert read_lm_eval(out).model == "Txiki"


def test_parts_count_by_their_questions(tmp_path: Path) -> None:
    file = results(
        tmp_path,
        "1",
        eus_exams_eu_one={"acc,none": 1.0, "size": 1},
        eus_exams_eu_two={"acc,none": 0.0, "size": 3},
        eus_exams_es_one={"acc,none": 1.0, "size": 9},
    )
    assert merge([file], "x")["results"] == {"eus_exams_eu": {"acc,none": 0.25}}


def test_of_a_task_run_twice_the_newest_counts(tmp_path: Path) -> None:
    for place, (name, score) in enumerate((("b", 0.1), ("a", 0.2))):
        os.utime(results(tmp_path, name, piqa={"acc,none": score}), (place, place))
    assert merge([tmp_path], "x")["results"]["piqa"] == {"acc,none": 0.2}


def test_results_of_several_models_are_not_one_models(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"results_{name}.json").write_text(
            json.dumps({"model_name": f"models/{name}", "results": {"piqa": {"acc,none": 0.5}}})
        )
    with pytest.raises(BadData, match="models/a, models/b"):
        merge([tmp_path], "x")


def test_a_trial_gives_no_scores(tmp_path: Path) -> None:
    whole = {"config": {"limit": 5.0}, "results": {"piqa": {"acc,none": 0.5}}}
    (tmp_path / "results_1.json").write_text(json.dumps(whole))
    with pytest.raises(BadData, match="trial of 5"):
        merge([tmp_path], "x")


@pytest.mark.parametrize("content", [None, "{", "[]", '{"results": 3}', '{"results": {"squad": {}}}'])
def test_other_files_are_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "results_1.json").write_text(content)
    with pytest.raises(BadData):
        merge([tmp_path], "x")


def test_parts_without_a_size_are_refused(tmp_path: Path) -> None:
    (tmp_path / "results_1.json").write_text('{"results": {"eus_exams_eu_one": {"acc,none": 1.0}}}')
    with pytest.raises(BadData, match="eus_exams_eu_one"):
        merge([tmp_path], "x")


def local_tasks(folder: Path) -> Path:
    """Our own task files with a few rows on disk in the place of the hub's."""
    rows: dict[str, list[dict[str, Any]]] = {
        "bertaqa_eu_local": [
            {
                "group": group,
                "question": f"{n} gehi bat?",
                "candidates": ["bat", "bi", "hiru"],
                "answer": n % 3,
            }
            for n in range(8)
            for group in ("Euskal gaiak", "Gai orokorrak")
        ],
        "basqbbq": [
            {
                "context": "Bi lagun.",
                "question": f"Nor, {n}?",
                "ans0": "a",
                "ans1": "b",
                "ans2": "c",
                "label": n % 3,
            }
            for n in range(8)
        ],
    }
    (folder / "choose.py").write_text((OWN_TASKS / "choose.py").read_text())
    for name, each in rows.items():
        data = folder / f"{name}.jsonl"
        data.write_text("".join(json.dumps(row) + "\n" for row in each))
        lines = (OWN_TASKS / f"{name}.yaml").read_text().splitlines()
        kept = [line for line in lines if not line.startswith(("dataset_path", "dataset_name"))]
        local = ["dataset_path: json", f"dataset_kwargs: {{data_files: {{test: {data}}}}}"]
        (folder / f"{name}.yaml").write_text("\n".join([*kept, *local]) + "\n")
    return folder


@pytest.mark.slow  # the harness itself, which takes a minute
@pytest.mark.parametrize(
    "names",
    # of two tasks it starts twice, as their shots differ
    [["bertaqa_eu_local"], ["basqbbq", "bertaqa_eu_local"]],
    ids=["one", "two"],
)
def test_a_candidate_is_evaluated_and_its_scores_can_be_imported(
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    names: list[str],
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    files = tmp_path / "files"
    files.mkdir()
    status = cli.main(
        [
            *("evaluate", "run", str(trained / "txiki_110"), "--output", str(tmp_path / "out")),
            *(part for name in reversed(names) for part in ("--task", name)),
            *("--task-files", str(local_tasks(files)), "--device", "cpu"),
        ]
    )
    assert status == 0
    said = yaml.safe_load(capfd.readouterr().out)
    assert said["tasks"] == names  # four shots, then five
    found = read_lm_eval(Path(said["scores"]))
    assert found.model == "txiki_110"
    assert set(found.scores) == set(names)
    (own,) = (tmp_path / "out" / "5_shots").rglob("results_*.json")
    whole = json.loads(own.read_text())
    assert whole["n-samples"]["bertaqa_eu_local"]["effective"] == 8  # the local half of the rows
    assert whole["n-shot"]["bertaqa_eu_local"] == 5
    assert whole["chat_template"]


@pytest.mark.slow  # another start of the harness, ten seconds of a core
def test_a_trial_of_the_command_leaves_no_file_to_import(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    files, out = tmp_path / "files", tmp_path / "out"
    files.mkdir()
    command = ["evaluate", "run", str(trained / "txiki_110"), "--output", str(out), "--task", "basqbbq"]
    trial = ["--task-files", str(local_tasks(files)), "--device", "cpu", "--limit", "2"]
    assert cli.main([*command, *trial]) == 0
    assert yaml.safe_load(capfd.readouterr().out) == {"trial": str(out)}
    assert not (out / "benchmarks.json").exists()
    with pytest.raises(BadData, match="trial of 2"):
        merge([out], "x")


@pytest.mark.slow  # another start of the harness, ten seconds of a core
def test_a_failing_harness_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    status = cli.main(
        [
            "evaluate",
            "run",
            str(tmp_path),
            "--output",
            str(tmp_path / "out"),
            "--task",
            "basqbbq",
            "--device",
            "cpu",
        ]
    )
    assert status == 1
    assert "the harness ended" in capfd.readouterr().err


def test_without_the_extra_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert cli.main(["evaluate", "run", str(tmp_path), "--output", str(tmp_path)]) == 2
    assert "lehia[evaluate]" in capsys.readouterr().err


def test_the_command_imports_and_lists(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = results(tmp_path, "1", piqa={"acc,none": 0.5})
    out = tmp_path / "scores.json"
    assert cli.main(["evaluate", "import", str(file), "--model", "X", "--output", str(out)]) == 0
    assert json.loads(out.read_text())["model_name"] == "X"
    assert cli.main(["evaluate", "tasks"]) == 0
    assert "bl2mp" in capsys.readouterr().out


def test_the_table_refuses_unknown_keys() -> None:
    with pytest.raises(ValueError, match="colour"):
        Task.model_validate({"name": "x", "language": "eu", "shots": 5, "upstream": "x", "colour": "red"})
    assert table.tasks() is table.tasks()
