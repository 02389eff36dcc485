"""``python -m training data corpus``, and the page that describes it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.training.cleaning.planted import kept, planted
from training.cli import main
from training.commands.corpus import said
from training.data.cleaning.options import Options
from training.data.cleaning.tally import Filter
from training.data.rows import line


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return planted(3, seed=4).write(tmp_path / "rows.jsonl.gz")


def command(*more: object) -> int:
    return main(["data", "corpus", *map(str, more), "--processes", "1"])


def test_the_report_is_printed_as_yaml(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(source, "--output", tmp_path / "out") == 0
    told = yaml.safe_load(capsys.readouterr().out)
    assert told["kept"]["documents"] == len(kept(tmp_path / "out"))
    assert told["options"] == Options().model_dump(mode="json")


def test_options_reach_the_cleaning(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = ("--no-near", "--languages", "en", "es", "--min-words", "3", "--language-share", "0.25")
    assert command(source, "--output", tmp_path / "out", *more) == 0
    told = yaml.safe_load(capsys.readouterr().out)
    expected = Options(near=False, languages=("en", "es"), min_words=3, language_share=0.25)
    assert told["options"] == expected.model_dump(mode="json")


def test_evaluation_rows_are_named_by_file(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_bytes(line({"text": "hitz " * 13}))
    against = ("--against", tmp_path / "a.jsonl", "--against", tmp_path / "b.jsonl")
    assert command(source, "--output", tmp_path / "out", *against) == 0
    told = yaml.safe_load(capsys.readouterr().out)
    assert told["against"]["files"] == [str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl")]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["absent.jsonl"], "absent.jsonl: there is no such file"),
        (["{source}", "--keep-fields", "text"], "the output's own fields cannot be kept: text"),
        (["{source}", "--near-similarity", "2"], "--near-similarity: "),
        (["{source}", "--against", "{folder}/none.jsonl"], "none.jsonl: there is no such file"),
    ],
)
def test_bad_input_is_told_and_ends_with_two(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], message: str
) -> None:
    filled = [each.format(source=source, folder=tmp_path) for each in more]
    assert command(*filled, "--output", tmp_path / "out") == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("more", [["--processes", "0"], ["--languages", "de"], ["--min-words", "few"]])
def test_options_of_another_kind_are_refused_by_the_parser(
    source: Path, tmp_path: Path, more: list[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["data", "corpus", str(source), "--output", str(tmp_path / "out"), *more])
    assert ended.value.code == 2


def test_the_page_has_every_option_with_its_default(repository: Path) -> None:
    page = (repository / "docs" / "corpus.md").read_text()
    for name, field in Options.model_fields.items():
        row = f"| `--{name.replace('_', '-')}` | {said(field.default)} | {field.description} |"
        assert row in page, row


def test_the_page_has_every_filter_of_the_report(repository: Path) -> None:
    page = (repository / "docs" / "corpus.md").read_text()
    for name in Filter:
        assert f"| `{name}` |" in page
