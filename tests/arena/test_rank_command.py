from __future__ import annotations

import csv
import io
import json

import pytest
from django.core.management import CommandError, call_command

from arena.management.commands.rank import Command
from ranking import reference
from ranking.cli import main
from ranking.models import Board
from ranking.readers import read_tally
from ranking.services import TallyEntry, record, replace_tally
from ranking.types import BoardKind, Criterion, Outcome

pytestmark = pytest.mark.django_db


def run(*options: str) -> str:
    out = io.StringIO()
    call_command("rank", *options, stdout=out)
    return out.getvalue()


def make_published_board() -> Board:
    board = Board.objects.create(slug="ebaluatoia-2025", name="E", kind=BoardKind.IMPORTED.value)
    replace_tally(board=board, tallies={Criterion.OVERALL: read_tally(reference.pairs_path())})
    return board


def test_an_imported_board_is_printed_as_the_file_it_came_from(capsys: pytest.CaptureFixture[str]) -> None:
    make_published_board()
    fits = [[], ["--ties", "rao-kupper"], ["--ties", "drop", "--interval", "0.9"]]
    for options in [[*fit, "--format", how] for fit in fits for how in ("table", "json", "csv")]:
        assert main([str(reference.pairs_path()), *options]) == 0
        assert run("--board", "ebaluatoia-2025", *options) == capsys.readouterr().out


def test_ties_and_interval_say_the_same_words_as_on_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    told = [capsys.readouterr().out, Command().create_parser("manage.py", "rank").format_help()]
    for words in (
        "{half,rao-kupper,drop}",
        "confidence level, 0.95",
        "Ratings under different rules are on different scales",
    ):
        assert all(words in " ".join(each.split()) for each in told)


@pytest.mark.parametrize("level", ["0", "1", "95", "nan"])
def test_an_interval_that_is_no_probability_is_bad_input(level: str) -> None:
    make_published_board()
    with pytest.raises(CommandError, match="--interval is a probability") as caught:
        run("--board", "ebaluatoia-2025", "--interval", level)
    assert caught.value.returncode == 2


@pytest.mark.parametrize("options", [("--ties", "davidson"), ("--interval", "asko")])
def test_what_is_no_option_is_bad_input(options: tuple[str, str]) -> None:
    with pytest.raises(CommandError, match="invalid"):
        run(*options)


def test_the_live_board_is_the_default_and_counts_each_criterion() -> None:
    board = Board.objects.create(slug="lehia", name="Lehia", kind=BoardKind.LIVE.value)
    record(
        board_id=board.pk,
        entries=[
            TallyEntry(Criterion.OVERALL, "x", "y", Outcome.TIE),
            TallyEntry(Criterion.CONTENT, "x", "y", Outcome.A_BETTER),
        ],
    )
    overall = json.loads(run("--format", "json"))
    assert (overall["n_votes"], overall["status"]) == (1, "insufficient")
    content = list(csv.DictReader(io.StringIO(run("--criterion", "content", "--format", "csv"))))
    assert {row["model"]: row["wins"] for row in content} == {"x": "1", "y": "0"}
    assert run("--criterion", "language").startswith("0 votes, 0 models, language")


def test_an_unknown_board_is_bad_input_and_the_known_ones_are_named() -> None:
    with pytest.raises(CommandError, match="there are: none yet"):
        run("--board", "nope")
    make_published_board()
    with pytest.raises(CommandError, match="there are: ebaluatoia-2025") as caught:
        run("--board", "nope")
    assert caught.value.returncode == 2


def test_a_criterion_that_a_board_does_not_hold_is_bad_input() -> None:
    make_published_board()
    with pytest.raises(CommandError, match="holds only overall") as caught:
        run("--board", "ebaluatoia-2025", "--criterion", "content")
    assert caught.value.returncode == 2
