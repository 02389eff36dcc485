from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking.errors import BadInput
from ranking.lm_eval import Results, read_lm_eval

RESULTS = {
    "arc_eu_easy": {"alias": "arc_eu_easy", "acc,none": 0.5, "acc_stderr,none": 0.01, "acc_norm,none": 0.6},
    "mgsm_native_cot_eu": {
        "alias": "mgsm_native_cot_eu",
        "exact_match,flexible-extract": 0.4,
        "exact_match,strict-match": 0.25,
        "exact_match_stderr,strict-match": "N/A",
    },
    "wikitext": {"alias": "wikitext", "word_perplexity,none": 11.2},
}


def write(folder: Path, **whole: Any) -> Path:
    path = folder / "results_2026-01-01.json"
    path.write_text(json.dumps(whole))
    return path


def refused(path: Path) -> str:
    with pytest.raises(BadInput) as caught:
        read_lm_eval(path)
    return str(caught.value)


def test_accuracies_are_read_in_per_cent_and_other_metrics_named(tmp_path: Path) -> None:
    assert read_lm_eval(write(tmp_path, results=RESULTS, model_name="HiTZ/Latxa")) == Results(
        "HiTZ/Latxa", {"arc_eu_easy": 50.0, "mgsm_native_cot_eu": 25.0}, ("wikitext",)
    )


def test_where_there_is_no_known_filter_the_first_of_the_file_is_taken(tmp_path: Path) -> None:
    tasks = {"t": {"exact_match,last": 0.5, "exact_match,first": 0.25}}
    assert read_lm_eval(write(tmp_path, results=tasks)).scores == {"t": 50.0}


@given(st.floats(0, 1))
def test_every_share_becomes_a_percentage_that_the_database_takes(share: float) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        read = read_lm_eval(write(Path(folder), results={"t": {"acc,none": share}})).scores["t"]
    assert read == pytest.approx(100 * share, abs=1e-9)
    assert 0 <= read <= 100


def test_a_group_with_a_score_stands_for_its_tasks_and_one_without_does_not(tmp_path: Path) -> None:
    scored = {"acc,none": 0.5}
    results = {"mmlu": scored, "stem": scored, "physics": scored, "open": {"alias": "open"}, "x": scored}
    groups = {"mmlu": ["stem"], "stem": ["physics"], "open": ["x"]}
    read = read_lm_eval(write(tmp_path, results=results, group_subtasks=groups))
    assert set(read.scores) == {"mmlu", "x"}
    assert read.skipped == ("open",)


@pytest.mark.parametrize(
    ("about", "name"),
    [
        ({"model_name": "a/b", "config": {"model_args": "pretrained=c"}}, "a/b"),
        ({"config": {"model": "hf", "model_args": "pretrained=HiTZ/x,dtype=auto"}}, "HiTZ/x"),
        ({"config": {"model_args": "pretrained=base,peft=tuned"}}, "tuned"),
        ({"config": {"model_args": {"pretrained": "HiTZ/y", "dtype": "auto"}}}, "HiTZ/y"),
        ({"config": {"model_args": None}}, ""),
        ({"config": None, "model_name": ""}, ""),
        ({}, ""),
    ],
)
def test_the_model_is_called_as_the_file_says(tmp_path: Path, about: dict[str, Any], name: str) -> None:
    assert read_lm_eval(write(tmp_path, results=RESULTS, **about)).model == name


@pytest.mark.parametrize("value", [1.5, -0.1, "0.5", None, True, float("nan"), float("inf"), [0.5]])
def test_what_is_no_share_is_refused_where_it_stands(tmp_path: Path, value: object) -> None:
    path = write(tmp_path, results={"t": {"acc,none": value}})
    assert "column results.t.acc,none" in refused(path)
    assert "is not a share between 0 and 1" in refused(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"results": {}\n,}', "line 2, column 2: is not JSON"),
        (b"\n\xff", "line 2: is not UTF-8"),
        (b"[1]", "column the file: an object is needed"),
        (b"{}", "column results: an object is needed"),
        (b'{"results": {"t": 1}}', "column results.t: an object is needed"),
        (b'{"results": {"t": {"acc": 1}}, "group_subtasks": {"t": 1}}', "column group_subtasks"),
        (b"[" * 100_000, "JSON out of all proportion"),
    ],
)
def test_what_is_no_result_file_is_refused_with_its_place(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    assert said in refused(path)


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    assert refused(tmp_path / "nothing.json") == "No such file or directory"
