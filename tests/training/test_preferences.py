"""Votes into pairs: every layout, what is left out, the hold-out, and the schema that the DPO stage reads by."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow
import pyarrow.parquet
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from training.cli import main
from training.data.preferences import (
    Battle,
    Choice,
    Criterion,
    NoSuchJudgement,
    SeveralTurns,
    battle_of,
    held_out_path,
    pair_of,
    preferences,
)
from training.data.rows import BadRows, Fields, line, read_rows
from training.errors import BadData

SYSTEM = {"role": "system", "content": "Gaur 2025eko martxoaren 19a da."}


def said(*texts: str, system: dict[str, str] | None = SYSTEM) -> list[dict[str, str]]:
    """Turns of user and assistant after each other."""
    turns = [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(texts)]
    return [system, *turns] if system else turns


def study(number: int = 1, winner: str = "model_a", **more: object) -> Fields:
    """A row of the study's release."""
    return {
        "id": f"battle-{number}",
        "user_language": "C1-C2",
        "model_a": "one",
        "model_b": "other",
        "conv_a": said(f"Galdera {number}?", "Ona."),
        "conv_b": said(f"Galdera {number}?", "Txarra."),
        "winner": winner,
        "winner_content": "tie",
        "winner_language": "model_b",
    } | more


def lmarena(number: int = 1, winner: str = "model_a", **more: object) -> Fields:
    def parts(*texts: str) -> list[dict[str, Any]]:
        return [
            {"role": each["role"], "content": [{"type": "text", "text": each["content"]}], "num_tokens": 3}
            for each in said(*texts, system=None)
        ]

    return {
        "id": f"arena-{number}",
        "model_a": "one",
        "model_b": "other",
        "conversation_a": parts(f"Galdera {number}?", "Ona."),
        "conversation_b": parts(f"Galdera {number}?", "Txarra."),
        "winner": winner,
    } | more


def explicit(number: int = 1, **more: object) -> Fields:
    return {
        "prompt": said(f"Galdera {number}?"),
        "chosen": [{"role": "assistant", "content": "Ona."}],
        "rejected": [{"role": "assistant", "content": "Txarra."}],
    } | more


def made(
    folder: Path, rows: list[Fields], choice: Choice | None = None
) -> tuple[list[Fields], dict[str, Any]]:
    """The pairs of all battles, those held out at the end, and the report."""
    source = folder / "export.jsonl"
    source.write_bytes(b"".join(map(line, rows)))
    report = preferences([source], folder / "pairs.jsonl", choice or Choice(held_out=0.0))
    paths = [folder / "pairs.jsonl", folder / "pairs.held-out.jsonl"]
    return [fields for path in paths for _, fields in read_rows(path, BadRows())], report


@pytest.fixture(scope="module")
def schema(repository: Path) -> jsonschema.Draft202012Validator:
    text = (repository / "docs" / "schemas" / "preferences.schema.json").read_text()
    return jsonschema.Draft202012Validator(json.loads(text))


@pytest.mark.parametrize("make", [study, lmarena, explicit])
def test_every_layout_gives_the_same_pair_by_the_schema(
    tmp_path: Path, schema: jsonschema.Draft202012Validator, make: Any
) -> None:
    pairs, report = made(tmp_path, [make()])
    schema.validate(pairs[0])
    assert pairs[0]["prompt"][-1] == {"role": "user", "content": "Galdera 1?"}
    assert pairs[0]["chosen"] == [{"role": "assistant", "content": "Ona."}]
    assert pairs[0]["rejected"] == [{"role": "assistant", "content": "Txarra."}]
    assert (pairs[0]["prompt"][0] == SYSTEM) is (make is not lmarena)
    assert (report["battles"], report["pairs"], report["held_out"]) == (1, 1, 0)


def test_the_winner_of_side_b_is_chosen(tmp_path: Path) -> None:
    pairs, _ = made(tmp_path, [study(1, "model_b"), lmarena(2, "model_b")])
    assert [pair["chosen"][0]["content"] for pair in pairs] == ["Txarra.", "Txarra."]


def test_the_criterion_decides(tmp_path: Path) -> None:
    pairs, _ = made(tmp_path, [study()], Choice(Criterion.LANGUAGE, held_out=0.0))
    assert pairs[0]["chosen"][0]["content"] == "Txarra."
    pairs, report = made(tmp_path, [study()], Choice(Criterion.CONTENT, held_out=0.0))
    assert not pairs
    assert list(report["dropped"]["reasons"]) == ["a tie"]


@pytest.mark.parametrize("make", [lmarena, explicit])
def test_a_layout_of_one_judgement_has_no_other(make: Any) -> None:
    with pytest.raises(NoSuchJudgement, match="overall"):
        battle_of(make(), Criterion.CONTENT)


def test_what_gives_no_pair_is_counted_and_located(tmp_path: Path) -> None:
    rows: list[Fields] = [
        study(1),
        study(2, "tie"),
        lmarena(3, "both_bad"),
        study(4, "model_c"),
        study(5, conv_b=said("Beste bat?", "Txarra.")),
        study(6, conv_b=said("Galdera 6?", " Ona. ")),
        study(7, conv_b=said("Galdera 7?", " ")),
        study(8, conv_b=None),
        study(9, conv_b=said("Galdera 9?", "Txarra.", "Eta?", "Ez.")),
        {"text": "no battle"},
        study(1),
        lmarena(11, conversation_a=[{"role": "user", "content": [{"type": "image", "image": "x"}]}]),
        study(12, conv_a=said(), conv_b=said()),
        study(13, conv_a=said("Galdera?"), conv_b=said("Galdera?")),
    ]
    pairs, report = made(tmp_path, rows)
    assert len(pairs) == 1
    found = {reason: each["first"] for reason, each in report["dropped"]["reasons"].items()}
    source = tmp_path / "export.jsonl"
    assert found == {
        "a tie": [f"{source}:2"],
        "both bad": [f"{source}:3"],
        "no winner by this criterion": [f"{source}:4"],
        "prompts that differ": [f"{source}:5", f"{source}:9", f"{source}:13"],
        "answers that are the same": [f"{source}:6", f"{source}:14"],
        "an empty answer": [f"{source}:7"],
        "no conversations": [f"{source}:8"],
        "no battle of a known layout": [f"{source}:10"],
        "a battle that was there before": [f"{source}:11"],
        "a message that is not text alone": [f"{source}:12"],
    }
    assert report["battles"] == report["pairs"] + report["dropped"]["rows"]


def test_one_pair_a_battle_over_all_files_and_without_ids(tmp_path: Path) -> None:
    pairs, report = made(tmp_path, [explicit(1), explicit(2), explicit(1), study(3), study(3, "model_b")])
    assert len(pairs) == 3
    assert report["dropped"]["reasons"]["a battle that was there before"]["rows"] == 2


# several turns


def test_turns_before_the_last_that_agree_are_the_prompt() -> None:
    battle = Battle("1", said("Bat?", "Bai.", "Bi?", "Ona."), said("Bat?", "Bai.", "Bi?", "Txarra."))
    pair = pair_of(battle, SeveralTurns.DROP)
    assert pair.prompt == said("Bat?", "Bai.", "Bi?")
    assert (pair.chosen, pair.rejected, pair.notes) == ("Ona.", "Txarra.", ())


def test_histories_that_differ_give_nothing_or_the_first_turn_if_asked_for() -> None:
    battle = Battle("1", said("Bat?", "Bai.", "Bi?", "Ona."), said("Bat?", "Ez.", "Bi?", "Txarra."))
    with pytest.raises(BadData, match="histories differ"):
        pair_of(battle, SeveralTurns.DROP)
    pair = pair_of(battle, SeveralTurns.FIRST)
    assert (pair.prompt, pair.chosen, pair.rejected) == (said("Bat?"), "Bai.", "Ez.")
    assert pair.notes == ("the first differing answer of several turns",)


@pytest.mark.parametrize("other", [None, {"role": "system", "content": "Beste bat."}])
def test_a_system_turn_that_only_one_side_had_is_left_out_and_told(
    tmp_path: Path, other: dict[str, str] | None
) -> None:
    pairs, report = made(tmp_path, [study(conv_b=said("Galdera 1?", "Txarra.", system=other))])
    assert pairs[0]["prompt"] == said("Galdera 1?", system=None)
    assert report["notes"] == {"a system turn that one side had otherwise, left out": 1}


# what is asked of votes and answers


@pytest.mark.parametrize(("least", "kept"), [(None, 4), ("A1-A2", 3), ("B1-B2", 2), ("C1-C2", 1)])
def test_votes_below_a_level_are_left_out(tmp_path: Path, least: str | None, kept: int) -> None:
    levels = ["A1-A2", "B1-B2", "C1-C2", None]
    rows = [study(n, user_language=level) for n, level in enumerate(levels)]
    pairs, _ = made(tmp_path, rows, Choice(held_out=0.0, min_level=least))
    assert len(pairs) == kept


def test_pairs_with_a_shorter_answer_are_left_out(tmp_path: Path) -> None:
    pairs, report = made(tmp_path, [study()], Choice(held_out=0.0, min_answer_chars=5))
    assert not pairs
    assert list(report["dropped"]["reasons"]) == ["an answer shorter than asked for"]


# the hold-out


def test_the_hold_out_goes_by_the_first_question_whatever_stands_around_it(tmp_path: Path) -> None:
    rows = [study(n) for n in range(60)]
    for n in range(60):
        other = {"role": "system", "content": f"Gaur {n}. eguna da."}
        rows.append(
            study(
                100 + n,
                conv_a=said(f"  GALDERA {n}? ", "Bai.", system=other),
                conv_b=said(f"  GALDERA {n}? ", "Ez.", system=other),
            )
        )
    _, report = made(tmp_path, rows, Choice(held_out=0.3))
    assert report["pairs"] + report["held_out"] == 120
    assert 0 < report["held_out"] < 72

    def questions(name: str) -> set[str]:
        found = read_rows(tmp_path / name, BadRows())
        return {fields["prompt"][-1]["content"].strip().casefold() for _, fields in found}

    assert not questions("pairs.jsonl") & questions("pairs.held-out.jsonl")
    before = questions("pairs.held-out.jsonl")
    made(tmp_path, rows[::-1], Choice(held_out=0.3))
    assert questions("pairs.held-out.jsonl") == before
    made(tmp_path, rows, Choice(held_out=0.3, seed=4))
    assert questions("pairs.held-out.jsonl") != before


@pytest.mark.parametrize("name", ["votes.jsonl", "votes.jsonl.gz", "a.b.jsonl.zst"])
def test_the_file_of_those_held_out_is_beside_the_other(tmp_path: Path, name: str) -> None:
    beside = held_out_path(tmp_path / name)
    assert beside.name == name.replace(".jsonl", ".held-out.jsonl")
    with pytest.raises(BadData, match=r"\.parquet"):
        preferences([], tmp_path / "x.parquet", Choice())


# every outcome is counted

SIDES = st.lists(st.sampled_from(["Bai.", "Ez.", " ", "Agian."]), min_size=1, max_size=3)


@given(
    SIDES,
    SIDES,
    st.sampled_from(["model_a", "model_b", "tie", "both_bad", None]),
    st.sampled_from(SeveralTurns),
)
def test_a_battle_gives_a_pair_of_its_own_answers_or_a_reason(
    one: list[str], other: list[str], winner: str | None, several: SeveralTurns
) -> None:
    def chat(answers: list[str]) -> list[dict[str, str]]:
        return said(*(text for n, answer in enumerate(answers) for text in (f"{n}?", answer)))

    row = study(winner=winner, conv_a=chat(one), conv_b=chat(other))  # type: ignore[arg-type]
    try:
        pair = pair_of(battle_of(row, Criterion.OVERALL), several)
    except BadData as error:
        assert str(error)
        return
    better, worse = (one, other) if winner == "model_a" else (other, one)
    turn = sum(each["role"] == "assistant" for each in pair.prompt)
    assert (pair.chosen, pair.rejected) == (better[turn].strip(), worse[turn].strip())
    assert pair.chosen != pair.rejected
    assert pair.prompt[-1] == {"role": "user", "content": f"{turn}?"}


# the command


def test_the_command_reads_every_kind_of_file_and_prints_its_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], schema: jsonschema.Draft202012Validator
) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    pyarrow.parquet.write_table(
        pyarrow.Table.from_pylist([lmarena(n) for n in range(20)]), folder / "lmarena.parquet"
    )
    (folder / "study.jsonl").write_bytes(b"".join(line(study(n)) for n in range(20)))
    output = tmp_path / "new" / "pairs.jsonl.zst"
    assert main(["data", "preferences", str(folder), "--output", str(output), "--held-out", "0.2"]) == 0
    report = yaml.safe_load(capsys.readouterr().out)
    assert report["pairs"] + report["held_out"] == 40
    for path, name in zip(report["files"], ("pairs", "held_out"), strict=True):
        rows = [fields for _, fields in read_rows(Path(path), BadRows())]
        assert len(rows) == report[name] > 0
        for fields in rows:
            schema.validate(fields)


def test_a_criterion_that_an_export_lacks_is_bad_input_and_names_the_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "export.jsonl"
    source.write_bytes(line(lmarena()))
    output = tmp_path / "pairs.jsonl"
    assert main(["data", "preferences", str(source), "--output", str(output), "--criterion", "content"]) == 2
    assert f"{source}:1" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [source]


@pytest.mark.parametrize("share", ["1", "-0.1", "nan", "x"])
def test_a_share_lies_below_one(tmp_path: Path, share: str) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["data", "preferences", "x", "--output", "y.jsonl", "--held-out", share])
    assert refused.value.code == 2
