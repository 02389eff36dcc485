"""Recipes to rows: the study's kind from files, the embedded ones from this package."""

from __future__ import annotations

import logging
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from transformers import PreTrainedTokenizerFast

from tests.training.small import Messages, chats, documents, tokenizer, write_rows
from training import cli, config
from training.config import Recipe
from training.data.row_set import RowSet
from training.data.stream import evaluation_sets, row_set
from training.data.tokenise import IGNORED
from training.errors import BadData, BadRecipe
from training.paths import Roots

DATA: dict[str, Any] = {
    "sources": {
        "basque": {"path": "DATA/chats/eu.jsonl.gz", "kind": "chats", "factor": "eu"},
        "english": {"path": "DATA/chats/en.jsonl", "kind": "chats", "factor": "en"},
        "prose": {"path": "DATA/documents", "kind": "documents", "factor": "corpus"},
    },
    "evaluation": {"held": {"path": "DATA/held.jsonl", "kind": "chats", "factor": "eu"}},
    "row_tokens": 256,
}


@pytest.fixture
def roots(tmp_path: Path) -> Roots:
    data = tmp_path / "data"
    write_rows(data / "chats" / "eu.jsonl.gz", chats(60))
    write_rows(data / "chats" / "en.jsonl", chats(30))
    write_rows(data / "documents" / "a.jsonl", documents(40))
    write_rows(data / "documents" / "b.jsonl.zst", documents(20, words=400))
    write_rows(data / "held.jsonl", chats(9))
    return Roots(data=data, tokens=tmp_path / "tokens")


def written(folder: Path, code: str = "own_110", **data: Any) -> Path:
    path = folder / f"{code}.yaml"
    path.write_text(
        yaml.safe_dump({"extends": "_txiki.yaml", "name": "O", "description": "O", "data": {**DATA, **data}})
    )
    return path


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    return config.load_file(written(tmp_path))


def text_of(found: RowSet) -> str:
    rows = [found[index]["input_ids"] for index in range(len(found))]
    return str(tokenizer().decode([token for row in rows for token in row]))


def test_a_recipes_digits_say_which_sources_are_read(recipe: Recipe, roots: Roots) -> None:
    found = row_set(recipe, tokenizer(), roots)
    assert found.source_names == ("basque", "prose")
    tokens = found.tokens_by_source()
    assert all(tokens.values())
    text = text_of(found)
    assert all(row["text"] in text for row in documents(40))
    assert all(each["conversations"][1]["content"].strip() in text for each in chats(60))


def test_from_file_to_row_exactly_the_answers_are_learnt(tmp_path: Path, roots: Roots) -> None:
    assert roots.data is not None
    talks: list[Messages] = [
        [
            {"role": "system", "content": f"{number}. eguna."},
            {"role": "user", "content": "Kaixo"},
            {"role": "assistant", "content": f" Lehena {number} \n"},
            {"role": "user", "content": "Eta orain?"},
            {"role": "assistant", "content": f"Bigarrena {number}"},
        ]
        for number in range(12)
    ]
    write_rows(roots.data / "chats" / "eu.jsonl.gz", [{"conversations": each} for each in talks])
    found = row_set(config.load_file(written(tmp_path, "own_010", row_tokens=400)), tokenizer(), roots)
    learnt = []
    for index in range(len(found)):
        labels = [label for label in found[index]["labels"] if label != IGNORED]
        learnt += str(tokenizer().decode(labels)).split("<|eot_id|>")[:-1]
    assert sorted(learnt) == sorted(
        f"{word} {number}" for number in range(12) for word in ("Lehena", "Bigarrena")
    )


def test_no_row_of_a_recipe_has_two_begin_tokens_side_by_side(recipe: Recipe, roots: Roots) -> None:
    found = row_set(recipe, tokenizer(), roots)
    begin = tokenizer().bos_token_id
    for index in range(len(found)):
        row = found[index]
        places = [place for place, token in enumerate(row["input_ids"]) if token == begin]
        assert all(row["position_ids"][place] == 0 for place in places)
        assert all(later - sooner > 1 for sooner, later in pairwise(places))


def test_shares_of_a_recipe_hold(tmp_path: Path, roots: Roots) -> None:
    mixed = config.load_file(written(tmp_path, shares={"corpus": 0.2, "eu": 0.8}))
    tokens = row_set(mixed, tokenizer(), roots).tokens_by_source()
    assert tokens["prose"] / sum(tokens.values()) == pytest.approx(0.2, abs=0.03)


def test_evaluation_sets_are_of_their_own_sources_each_segment_once(recipe: Recipe, roots: Roots) -> None:
    found = evaluation_sets(recipe, tokenizer(), roots)
    assert list(found) == ["held"]
    assert found["held"].source_names == ("held",)
    text = text_of(found["held"])
    assert text.count("<|begin_of_text|>") == 9
    learnt = [label for i in range(len(found["held"])) for label in found["held"][i]["labels"]]
    assert str(tokenizer().decode([label for label in learnt if label != IGNORED])).count("<|eot_id|>") == 9


def test_a_second_run_reads_what_the_first_made(
    recipe: Recipe, roots: Roots, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = row_set(recipe, tokenizer(), roots)
    monkeypatch.setattr("training.data.tokenised.encode_all", None)
    second = row_set(recipe, tokenizer(), roots)
    assert [first[index] for index in range(len(first))] == [second[index] for index in range(len(second))]


def test_what_is_left_out_is_told(
    tmp_path: Path, roots: Roots, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("training"), "propagate", True)
    assert roots.data is not None
    write_rows(roots.data / "chats" / "eu.jsonl.gz", [*chats(30), *chats(1, words=1), {"conversations": []}])
    found = row_set(config.load_file(written(tmp_path, row_tokens=108)), tokenizer(), roots)
    dropped = found.left_out["basque"]
    assert 0 < dropped < 31
    assert f"basque: {dropped} chats are longer than 108 tokens and left out" in caplog.text
    assert "eu.jsonl.gz:32" in caplog.text


def test_rows_that_none_fits_and_tokenizers_that_cannot_pad_are_refused(
    tmp_path: Path, recipe: Recipe, roots: Roots
) -> None:
    short = written(tmp_path, "own_010", row_tokens=64)
    with pytest.raises(BadData, match="no row of basque fits 64 tokens"):
        row_set(config.load_file(short), tokenizer(), roots)
    bare = PreTrainedTokenizerFast(tokenizer_object=tokenizer().backend_tokenizer)
    with pytest.raises(BadRecipe, match="pad"):
        row_set(recipe, bare, roots)


def test_a_root_that_nothing_stands_for_is_asked_for(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEHIA_TRAINING_DATA", raising=False)
    with pytest.raises(BadRecipe, match="--data"):
        row_set(recipe, tokenizer(), Roots())


def of_steps(recipe: Recipe, steps: int) -> Recipe:
    return recipe.model_copy(update={"schedule": recipe.schedule.model_copy(update={"steps": steps})})


@pytest.mark.parametrize("code", config.embedded())
def test_the_embedded_candidates_rows_come_out_of_the_same_function(code: str, tmp_path: Path) -> None:
    recipe = of_steps(config.load(code), 50)
    found = row_set(recipe, tokenizer(), Roots(tokens=tmp_path / "tokens"))
    tokens = found.tokens_by_source()
    assert recipe.data.shares is not None
    for name, source in recipe.sources.items():
        share = getattr(recipe.data.shares, source.factor)
        assert tokens[name] / sum(tokens.values()) == pytest.approx(share, abs=0.02)
    assert not (tmp_path / "tokens").exists()
    assert sum(found.left_out.values()) == 0


def test_built_in_chats_are_as_many_as_a_run_learns_and_follow_the_seed() -> None:
    long = of_steps(config.load("txiki_010"), 40)
    other = long.model_copy(update={"schedule": long.schedule.model_copy(update={"seed": 1})})
    found, again, third = (row_set(each, tokenizer(), Roots()) for each in (long, long, other))
    assert 40 * long.batch.rows <= len(found) < 55 * long.batch.rows
    assert found[0] == again[0]
    assert found[0] != third[0]


@pytest.mark.parametrize(
    "source",
    [
        {"path": "builtin:klingon", "kind": "chats", "factor": "eu"},
        {"path": "builtin:prose", "kind": "chats", "factor": "eu"},
    ],
)
def test_built_in_sources_that_there_are_not_are_refused(source: dict[str, str], tmp_path: Path) -> None:
    wrong = config.load_file(written(tmp_path, sources={"basque": source}))
    with pytest.raises(BadRecipe, match="built-in chats"):
        row_set(wrong, tokenizer(), Roots())


# ---- the commands


def told(capsys: pytest.CaptureFixture[str], *argv: object) -> Any:
    assert cli.main(["data", *map(str, argv)]) == 0
    return yaml.safe_load(capsys.readouterr().out)


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.model.tokenizer_for", lambda recipe, resolve: tokenizer())


@pytest.mark.usefixtures("_quick")
def test_data_tokenise_tells_of_each_source_once(
    tmp_path: Path, roots: Roots, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ("tokenise", written(tmp_path), "--data", roots.data, "--tokens", roots.tokens, "--processes", 1)
    first, second = told(capsys, *argv), told(capsys, *argv)
    assert list(first["sources"]) == ["basque", "prose", "held"]
    assert all(each["was_made"] for each in first["sources"].values())
    assert not any(each["was_made"] for each in second["sources"].values())
    assert first["template"] == "llama31/1"
    prose = first["sources"]["prose"]
    assert (prose["segments"], prose["bad"], len(prose["inputs"])) == (60, {"rows": 0, "reasons": {}}, 2)


@pytest.mark.usefixtures("_quick")
def test_data_tokenise_leaves_built_in_sources_to_runs(capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, "tokenise", "txiki_110")["sources"]
    assert {name: each["made"] for name, each in found.items()} == {
        "basque": "in memory, by each run",
        "prose": "in memory, by each run",
    }


@pytest.mark.usefixtures("_quick")
def test_data_pack_plans_every_pass(tmp_path: Path, roots: Roots, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ("pack", written(tmp_path), "--data", roots.data, "--tokens", roots.tokens, "--passes", 2)
    found = told(capsys, *argv)
    assert len(found["passes"]) == 2
    assert found["passes"][0]["tokens"] == sum(found["passes"][0]["tokens_by_source"].values())
    assert found["left_out"] == {"basque": 0, "prose": 0}
    assert list(found["evaluation"]) == ["held"]
    assert len(list((roots.store / "plans").iterdir())) == 3
    assert told(capsys, *argv) == found


def test_a_tokenizer_from_scratch_learns_from_the_recipes_own_sources(
    tmp_path: Path, roots: Roots, capsys: pytest.CaptureFixture[str]
) -> None:
    found = told(capsys, "tokenise", written(tmp_path), "--data", roots.data, "--tokens", roots.tokens)
    assert found["sources"]["prose"]["vocabulary"] > 261


def test_bad_input_ends_with_two_and_a_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LEHIA_TRAINING_DATA", raising=False)
    assert cli.main(["data", "tokenise", "exp_9_999"]) == 2
    assert "exp_9_999" in capsys.readouterr().err
    assert cli.main(["data", "pack", str(written(tmp_path))]) == 2
    assert "--data" in capsys.readouterr().err
    assert cli.main(["data", "pack", "exp_0_110"]) == 2
    assert "BASE" in capsys.readouterr().err
