from __future__ import annotations

import csv
import gzip
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from ranking import reference
from ranking.cli import main

PAIRS = str(reference.pairs_path())


@pytest.fixture
def votes(tmp_path: Path) -> str:
    path = tmp_path / "votes.csv"
    path.write_text("model_a,model_b,winner,username\nx,y,model_a,ane\ny,x,model_a,jon\nx,y,tie,ane\n")
    return str(path)


def test_the_module_ranks_the_published_pairs_as_json(repository: Path) -> None:
    command = [sys.executable, "-m", "ranking", PAIRS, "--format", "json"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    board = json.loads(done.stdout)
    assert (board["n_votes"], board["n_models"], board["status"]) == (12_890, 21, "ok")
    published = {row.model: row.overall for row in reference.published_ratings()}
    assert max(abs(row["rating"] - published[row["model"]]) for row in board["ratings"]) <= 2.0
    widths = [(row["high"] - row["low"]) / 2 for row in board["ratings"]]
    assert sum(widths) / 21 == pytest.approx(17.6, abs=0.1)


def test_the_module_imports_no_django(repository: Path) -> None:
    code = "import sys, ranking.cli, ranking.missing, ranking.plot, ranking.sampler, ranking.verdict, ranking.reference; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=repository, check=False).returncode == 0


def test_a_bad_row_exits_with_2_and_prints_no_board(repository: Path, tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    path.write_text(
        '{"model_a":"x","model_b":"y","winner":"tie"}\n{"model_a":"x","model_b":"y","winner":"me"}\n'
    )
    command = [sys.executable, "-m", "ranking", str(path)]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{path}: line 2, column winner: 'me' is none of model_a")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "text",
    [
        "model_a,model_b,winner\n",
        "model_a,model_b,winner\nx,y,tie\n",
        "model_a,model_b,winner\nx,y,model_a\n",
        "model_a,model_b,winner\nx,y,model_a\nz,w,model_b\n",
    ],
)
@pytest.mark.parametrize("how", ["table", "json", "csv"])
def test_a_degenerate_board_is_printed_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, how: str
) -> None:
    path = tmp_path / "votes.csv"
    path.write_text(text)
    assert main([str(path), "--format", how]) == 0
    printed = capsys.readouterr().out
    assert printed.endswith("\n")
    assert "nan" not in printed.lower()
    assert "inf" not in printed.lower()
    if how == "json":
        assert json.loads(printed)["status"] in {"empty", "insufficient", "unbounded", "disconnected"}


def test_the_table_shows_ranks_intervals_and_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([PAIRS]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "12890 votes, 21 models, overall, ties half, 95 % intervals, status ok"
    assert lines[2].split() == [
        "1",
        "1-1",
        "gpt-4o-2024-11-20",
        "1188.6",
        "1169.3..1207.9",
        "1207",
        "802",
        "197",
        "208",
        "ok",
    ]
    assert len(lines) == 23


def test_the_csv_has_a_row_a_model_and_empty_cells_for_no_rating(
    votes: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with Path(votes).open("a") as file:
        file.write("new,x,model_b,ane\n")
    assert main([votes, "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["model"] for row in rows] == ["x", "y", "new"]
    assert (rows[2]["rating"], rows[2]["losses"], rows[2]["status"]) == ("", "1", "unbounded")


def test_options_reach_the_board(votes: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([votes, "--ties", "drop", "--interval", "0.8", "--cluster", "none", "--format", "json"]) == 0
    board = json.loads(capsys.readouterr().out)
    assert (board["ties"], board["interval"], board["cluster"]) == ("drop", 0.8, "none")
    assert board["ratings"][0]["rating"] == pytest.approx(1000)


def test_a_criterion_reads_its_own_winner(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "votes.jsonl.gz"
    row = {"model_a": "x", "model_b": "y", "winner": "tie", "winner_language": "model_b"}
    path.write_bytes(gzip.compress(json.dumps(row).encode()))
    assert main([str(path), "--criterion", "language", "--format", "json"]) == 0
    board = json.loads(capsys.readouterr().out)
    assert board["criterion"] == "language"
    assert {row["model"]: row["wins"] for row in board["ratings"]} == {"x": 0, "y": 1}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--ties", "rao-kupper"], "--ties rao-kupper is not in this version"),
        (["--cluster", "username"], "--cluster by a column is not in this version"),
        (["--cap-per-user-candidate", "3"], "--cap-per-user-candidate is not in this version"),
        (["--interval", "1"], "--interval is a probability"),
        (["--interval", "nan"], "--interval is a probability"),
    ],
)
def test_an_option_of_a_later_version_is_refused_and_named(
    votes: str, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    assert main([votes, *options]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(said)


@pytest.mark.parametrize(
    "options", [["--ties", "davidson"], ["--criterion", "style"], ["--format", "xml"], []]
)
def test_a_command_line_that_cannot_be_read_exits_with_2(options: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(options)
    assert caught.value.code == 2


def test_pair_counts_refuse_another_criterion(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([PAIRS, "--criterion", "content"]) == 2
    assert "one criterion, overall" in capsys.readouterr().err


def test_the_help_says_what_a_cluster_does_here(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "auto and none both take votes as independent" in said
