from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from ranking import reference
from ranking.board import build_board
from ranking.models import Board, TallyCell
from ranking.readers import PAIR_COLUMNS
from ranking.selectors import live_board, load_tally
from ranking.types import BoardKind, Criterion, Status

pytestmark = pytest.mark.django_db
HEADER = ",".join(PAIR_COLUMNS)


def run(file: Path, *options: str) -> dict[str, object]:
    out = io.StringIO()
    call_command("import_preferences", str(file), "--layout", "pairs", *options, stdout=out)
    report: dict[str, object] = json.loads(out.getvalue())
    return report


def refused(file: Path, *options: str) -> CommandError:
    with pytest.raises(CommandError) as caught:
        call_command("import_preferences", str(file), *options)
    assert caught.value.returncode == 2
    return caught.value


def make_file(folder: Path, *rows: str) -> Path:
    path = folder / "pairs.csv"
    path.write_text("\n".join([HEADER, *rows]))
    return path


def test_the_published_pairs_become_the_published_board() -> None:
    report = run(reference.pairs_path(), "--board", reference.BOARD_SLUG)
    assert report == {"board": "ebaluatoia-2025", "n_votes": 12_890, "n_models": 21, "dry_run": False}
    board = Board.objects.get(slug="ebaluatoia-2025")
    assert (board.name, board.kind) == (reference.BOARD_NAME, BoardKind.IMPORTED.value)
    result = live_board(board=board, criterion=Criterion.OVERALL)
    published = {row.model: row.overall for row in reference.published_ratings()}
    assert result.status is Status.OK
    assert len(result.ratings) == 21
    assert max(abs((row.rating or 0) - published[row.model]) for row in result.ratings) <= 2.0


def test_repeating_an_import_changes_nothing() -> None:
    run(reference.pairs_path(), "--board", "e")
    board = Board.objects.get(slug="e")
    first = build_board(load_tally(board_id=board.pk, criterion=Criterion.OVERALL))
    run(reference.pairs_path(), "--board", "e")
    assert build_board(load_tally(board_id=board.pk, criterion=Criterion.OVERALL)) == first
    assert Board.objects.filter(slug="e").count() == 1
    assert TallyCell.objects.filter(board=board).count() == 210


def test_an_import_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    run(make_file(tmp_path, "x,y,1,1,0,0", "y,z,1,0,0,1"), "--board", "e")
    run(make_file(tmp_path, "x,y,2,0,2,0"), "--board", "e")
    tally = load_tally(board_id=Board.objects.get(slug="e").pk, criterion=Criterion.OVERALL)
    assert (tally.models, tally.n_votes) == (("x", "y"), 2)


def test_a_name_is_given_or_made_from_the_slug(tmp_path: Path) -> None:
    file = make_file(tmp_path, "x,y,1,1,0,0")
    run(file, "--board", "my-board", "--name", "Nirea")
    run(file, "--board", "your-board")
    assert list(Board.objects.order_by("slug").values_list("name", flat=True)) == ["Nirea", "Your board"]


def test_a_dry_run_reads_everything_and_stores_nothing(tmp_path: Path) -> None:
    file = make_file(tmp_path, "x,y,1,1,0,0")
    assert run(file, "--board", "e", "--dry-run")["dry_run"] is True
    assert not Board.objects.exists()
    run(file, "--board", "e")
    run(make_file(tmp_path, "x,y,9,9,0,0"), "--board", "e", "--dry-run")
    tally = load_tally(board_id=Board.objects.get(slug="e").pk, criterion=Criterion.OVERALL)
    assert tally.n_votes == 1


def test_a_live_board_cannot_be_imported_into_not_even_dryly(tmp_path: Path) -> None:
    Board.objects.create(slug="lehia", name="Lehia", kind=BoardKind.LIVE.value)
    file = make_file(tmp_path, "x,y,1,1,0,0")
    for options in ([], ["--dry-run"]):
        error = refused(file, "--layout", "pairs", "--board", "lehia", *options)
        assert "a live board is counted from its votes" in str(error)
    assert not TallyCell.objects.exists()


def test_a_bad_row_is_named_and_nothing_is_stored(tmp_path: Path) -> None:
    file = make_file(tmp_path, "x,y,1,1,0,0", "x,z,1,1,1,0")
    error = refused(file, "--layout", "pairs", "--board", "e")
    assert str(error) == f"{file}: line 3, column n: 1 is not a_wins + b_wins + ties = 2"
    assert not Board.objects.exists()


def test_votes_are_no_pairs(tmp_path: Path) -> None:
    file = tmp_path / "votes.csv"
    file.write_text("model_a,model_b,winner\nx,y,tie\n")
    assert "line 1, column n" in str(refused(file, "--layout", "pairs", "--board", "e"))


@pytest.mark.parametrize("slug", ["two words", "", "x" * 51])
def test_a_slug_that_could_not_stand_in_an_address_is_refused(tmp_path: Path, slug: str) -> None:
    assert "--board" in str(refused(make_file(tmp_path), "--layout", "pairs", "--board", slug))
    assert not Board.objects.exists()
