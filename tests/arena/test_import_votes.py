"""Votes of other arenas: all of a file or nothing, once, on a board of their own, and given back as they came."""

from __future__ import annotations

import itertools
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arena.exports.filters import Filters
from arena.models import ImportedVote, Vote
from arena.selectors.imports import imported_tallies, imported_votes
from arena.services.imports import MOST_SAID
from ranking import reference
from ranking.errors import InvalidJudgements
from ranking.models import Board, Snapshot, TallyCell
from ranking.selectors import criteria_of, load_tally
from ranking.types import BoardKind, Criterion, Outcome
from ranking.verdict import winner
from tests.arena.imported import (
    FIRST,
    Row,
    ebaluatoia_row,
    is_taken,
    lmarena_row,
    refusal,
    run,
    stored,
    write_lines,
    write_parquet,
)

pytestmark = pytest.mark.django_db
MADE = {"ebaluatoia": ebaluatoia_row, "lmarena": lmarena_row}
LAYOUTS = pytest.mark.parametrize("layout", list(MADE))
WORDS = {
    Outcome.A_BETTER: "model_a",
    Outcome.B_BETTER: "model_b",
    Outcome.TIE: "tie",
    Outcome.BOTH_BAD: "tie",
}


def everything() -> list[Any]:
    """All that an import may write, but the numbers of rows."""
    tables = (Board, ImportedVote, TallyCell, Snapshot)
    return [list(table._default_manager.order_by("pk").values()) for table in tables]


def test_the_80_combinations_of_the_winner_table_are_taken_or_refused_as_it_says(tmp_path: Path) -> None:
    cases = list(itertools.product(Outcome, Outcome, [None, *Outcome]))
    assert len(cases) == 80
    rows, wanted = [], []
    for number, (content, language, overall) in enumerate(cases, start=1):
        try:
            won = WORDS[winner(content, language, overall)]
            wanted.append(number)
        except InvalidJudgements:
            won = WORDS[overall or content]
        rows.append(
            ebaluatoia_row(
                number,
                winner=won,
                winner_content=WORDS[content],
                winner_language=WORDS[language],
                winner_overall=overall and WORDS[overall],
            )
        )
    taken = [
        number for number, row in enumerate(rows, start=1)
        if is_taken(write_lines(tmp_path / "one.jsonl", [row]), "ebaluatoia")
    ]  # fmt: skip
    assert taken == wanted
    assert len(taken) == 22


def test_of_the_published_columns_27_combinations_15_are_votes(tmp_path: Path) -> None:
    """Where both criteria are decisive and disagree, each of the three words may have been the third judgement; elsewhere one follows."""
    words = ("model_a", "model_b", "tie")
    taken = set()
    for content, language, won in itertools.product(words, repeat=3):
        row = ebaluatoia_row(winner=won, winner_content=content, winner_language=language)
        if is_taken(write_lines(tmp_path / "one.jsonl", [row]), "ebaluatoia"):
            taken.add((content, language, won))
    a, b, tie = words
    assert taken == {
        (a, a, a), (b, b, b), (tie, tie, tie), (a, tie, a), (tie, a, a), (b, tie, b), (tie, b, b),
        *((a, b, won) for won in words), *((b, a, won) for won in words),
    }  # fmt: skip


@LAYOUTS
def test_a_dry_run_says_what_would_be_and_changes_nothing(tmp_path: Path, layout: str) -> None:
    file = write_lines(tmp_path / "v.jsonl", [MADE[layout](1), MADE[layout](2)])
    report = run(file, layout, "--dry-run")
    assert (report["n_added"], report["n_votes"], report["dry_run"]) == (2, 2, True)
    assert not Board.objects.exists()
    assert not ImportedVote.objects.exists()
    run(write_lines(tmp_path / "one.jsonl", [MADE[layout](1)]), layout)
    before = everything()
    assert run(file, layout, "--dry-run")["n_known"] == 1
    assert everything() == before


def test_bad_rows_are_told_at_once_with_line_and_column_and_nothing_is_imported(tmp_path: Path) -> None:
    good = ebaluatoia_row()
    bad: dict[str, Row] = {
        "line 3, column id: None is not": good | {"id": None},
        "line 4, column username": good | {"username": ""},
        "line 5, column user_language: 'C3' is none of A1-A2": good | {"user_language": "C3"},
        "line 6, column user_education": good | {"user_education": "PhD"},
        "line 7, column timestamp: 'yesterday' is no time": good | {"timestamp": "yesterday"},
        "line 8, column model_b: 'x' meets itself": good | {"model_b": "x"},
        "line 9, column model_a: a model's name has spaces": good | {"model_a": " x"},
        "line 10, column conv_a: is no list of messages": good | {"conv_a": []},
        "line 11, column conv_b: message 1 has no role": good | {"conv_b": [{"role": "tool", "content": ""}]},
        "line 12, column conv_b: message 1 has no content": good | {"conv_b": [{"role": "user"}]},
        "line 13, column winner_content: 'both_bad' is none": good | {"winner_content": "both_bad"},
        "line 14, column winner: 'tie' contradicts the judgements: model_a follows": good | {"winner": "tie"},
        "line 15, column more: holds a character": good | {"more": {"deep": ["\0"]}},
    }
    file = write_lines(tmp_path / "v.jsonl", [good, *bad.values()])
    lines = file.read_text().splitlines()
    file.write_text("\n".join([lines[0], "", *lines[1:], "no json", "[1]", '{"id": NaN}']))
    said = refusal(file, "ebaluatoia")
    assert said[0] == "16 rows are bad, so nothing is imported"
    endings = [
        "line 16, column 1: is not JSON",
        "line 17, column 1: is not a JSON object",
        "line 18, column 1: is JSON",
    ]
    for line, start in zip(said[1:], [*bad, *endings], strict=True):
        assert line.startswith(start)
    assert not ImportedVote.objects.exists()
    assert not Board.objects.exists()


def test_of_very_many_bad_rows_the_first_are_told_and_the_others_counted(tmp_path: Path) -> None:
    file = write_lines(tmp_path / "v.jsonl", [ebaluatoia_row(number, winner="?") for number in range(1, 702)])
    said = refusal(file, "ebaluatoia")
    assert said[0].startswith("701 rows")
    assert [line.split(",")[0] for line in said[1:-1]] == [f"line {n}" for n in range(1, MOST_SAID + 1)]
    assert said[-1] == f"and {701 - MOST_SAID} more"


def test_an_lmarena_row_is_held_to_its_layout(tmp_path: Path) -> None:
    texts = [{"role": "user", "content": "text, no parts"}]
    rows = [lmarena_row(1, winner="tie (bothbad)"), lmarena_row(2, conversation_a=texts)]
    said = refusal(write_lines(tmp_path / "v.jsonl", rows), "lmarena")
    assert said[1].startswith(
        "line 1, column winner: 'tie (bothbad)' is none of model_a, model_b, tie, both_bad"
    )
    assert said[2] == "line 2, column conversation_a: message 1 has no content that is text"


@pytest.mark.parametrize("packing", [".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet"])
@LAYOUTS
def test_a_file_is_the_same_votes_however_it_is_packed(tmp_path: Path, layout: str, packing: str) -> None:
    rows = [MADE[layout](number) for number in range(1, 251)]
    path = tmp_path / f"v{packing}"
    file = write_parquet(path, rows) if packing == ".parquet" else write_lines(path, rows)
    assert run(file, layout)["n_added"] == 250
    assert stored() == {row["id"]: row for row in rows}
    assert run(write_lines(tmp_path / "again.jsonl", rows), layout)["n_known"] == 250


@pytest.mark.parametrize("packing", [".jsonl.gz", ".jsonl.zst", ".parquet"])
def test_a_file_that_breaks_off_is_refused_whole(tmp_path: Path, packing: str) -> None:
    rows = [ebaluatoia_row(number, more=f"{number * 7919 % 65537:x}" * 9) for number in range(1, 2001)]
    path = tmp_path / f"v{packing}"
    file = write_parquet(path, rows) if packing == ".parquet" else write_lines(path, rows)
    file.write_bytes(file.read_bytes()[:-40])
    assert "the file is damaged, or breaks off" in refusal(file, "ebaluatoia")[0]
    assert not ImportedVote.objects.exists()


def test_no_file_and_an_empty_one_are_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.jsonl", "lmarena") == ["No such file or directory"]
    assert refusal(write_lines(tmp_path / "empty.jsonl", []), "lmarena") == ["is empty"]


said_by_number = st.dictionaries(
    st.integers(1, 9), st.sampled_from(["model_a", "model_b", "tie"]), min_size=1
)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=said_by_number, kept=st.integers(1, 9), layout=st.sampled_from(list(MADE)))
def test_importing_again_adds_what_is_new_and_nothing_else(
    tmp_path: Path, said: dict[int, str], kept: int, layout: str
) -> None:
    rows = [MADE[layout](number, winner=won) for number, won in said.items()]
    if layout == "ebaluatoia":
        rows = [row | {"winner_content": row["winner"], "winner_language": row["winner"]} for row in rows]
    part = write_lines(tmp_path / "part.jsonl", rows[:kept])
    whole = write_lines(tmp_path / "whole.jsonl", rows)
    with transaction.atomic():
        run(part, layout)
        assert run(whole, layout)["n_added"] == len(rows[kept:])
        once = everything()
        for file in (whole, part):
            again = run(file, layout)
            assert (again["n_added"], again["n_votes"]) == (0, len(rows))
        assert everything() == once
        assert stored() == {row["id"]: row for row in rows}
        board = Board.objects.get(slug="b")
        for criterion, tally in imported_tallies(board).items():
            assert load_tally(board_id=board.pk, criterion=criterion).equals(tally)
        transaction.set_rollback(True)


def test_the_same_row_twice_in_a_file_is_one_vote(tmp_path: Path) -> None:
    report = run(write_lines(tmp_path / "v.jsonl", [lmarena_row(), lmarena_row()]), "lmarena")
    assert (report["n_added"], report["n_known"], report["n_votes"]) == (1, 1, 1)


def test_a_row_is_known_again_with_its_keys_in_another_order_null_keys_and_the_time_in_another_zone(
    tmp_path: Path,
) -> None:
    row = lmarena_row(1)
    run(write_lines(tmp_path / "v.jsonl", [row]), "lmarena")
    turned = dict(reversed(row.items())) | {"timestamp": "2025-03-19T09:00:01+01:00", "more": None}
    turned["conv_metadata"] = row["conv_metadata"] | {"header_count_b": None}
    assert run(write_lines(tmp_path / "w.jsonl", [turned]), "lmarena")["n_known"] == 1


def test_an_id_that_says_something_else_is_a_bad_row(tmp_path: Path) -> None:
    run(write_lines(tmp_path / "v.jsonl", [lmarena_row(1)]), "lmarena")
    before = everything()
    rows = [lmarena_row(2), lmarena_row(1, winner="tie"), lmarena_row(3), lmarena_row(3, language="fr")]
    said = refusal(write_lines(tmp_path / "w.jsonl", rows), "lmarena")
    assert said[1:] == [f"line {line}, column id: is known, and says something else there" for line in (2, 4)]
    assert everything() == before


def test_imported_votes_stay_apart_from_live_ones_and_by_layout(tmp_path: Path) -> None:
    Board.objects.create(slug="lehia", name="Lehia", kind=BoardKind.LIVE.value)
    ours, theirs = (write_lines(tmp_path / f"{layout}.jsonl", [made()]) for layout, made in MADE.items())
    assert "a live board is counted from its votes" in refusal(ours, "ebaluatoia", board="lehia")[0]
    run(ours, "ebaluatoia")
    assert "the board holds votes of the layout ebaluatoia" in refusal(theirs, "lmarena")[0]
    assert "the board holds votes of the layout ebaluatoia" in refusal(reference.pairs_path(), "pairs")[0]
    run(theirs, "lmarena", board="other")
    assert ImportedVote.objects.count() == 2
    assert not Vote.objects.exists()


def test_votes_take_the_place_of_counts_that_were_there(tmp_path: Path) -> None:
    run(reference.pairs_path(), "pairs")
    run(write_lines(tmp_path / "v.jsonl", [ebaluatoia_row()]), "ebaluatoia")
    tally = load_tally(board_id=Board.objects.get(slug="b").pk, criterion=Criterion.OVERALL)
    assert (tally.models, tally.n_votes) == (("x", "y"), 1)


def test_a_board_has_the_criteria_of_its_layout_on_its_pages(tmp_path: Path, client: Client) -> None:
    rows = [
        ebaluatoia_row(n, model_a=a, model_b=b)
        for n, (a, b) in enumerate(itertools.permutations("xyz", 2), 1)
    ]
    run(write_lines(tmp_path / "e.jsonl", rows), "ebaluatoia", board="e")
    run(write_lines(tmp_path / "l.jsonl", [lmarena_row()]), "lmarena", board="l")
    with_criteria, without = Board.objects.get(slug="e"), Board.objects.get(slug="l")
    assert criteria_of(with_criteria) == list(Criterion)
    assert criteria_of(without) == [Criterion.OVERALL]
    assert load_tally(board_id=without.pk, criterion=Criterion.OVERALL).counts[0, 1].tolist() == [0, 0, 0, 1]
    for criterion in Criterion:
        assert Snapshot.objects.filter(board=with_criteria, criterion=criterion.value).count() == 1
        page = client.get(f"/leaderboard/e/?criterion={criterion.value}&format=json")
        assert (page.status_code, page.json()["n_votes"]) == (200, 6)
        assert page.json()["criterion"] == criterion.value


def test_votes_come_by_time_then_id(tmp_path: Path) -> None:
    late = (FIRST + timedelta(hours=2)).isoformat()
    rows = [
        lmarena_row(1, id="b", timestamp=late),
        lmarena_row(2, id="a", timestamp="2025-03-19T11:00:00+01:00"),
        lmarena_row(3, id="B", timestamp="2025-03-19 10:00:00"),
        lmarena_row(4, id="z", timestamp="2025-03-19T09:00:00Z"),
    ]
    run(write_lines(tmp_path / "v.jsonl", rows), "lmarena")
    board = Board.objects.get(slug="b")
    assert [vote.external_id for vote in imported_votes(board)] == ["z", "B", "a", "b"]
    assert stored()["B"]["timestamp"] == "2025-03-19 10:00:00"
    before = Filters(timezone.now(), until=FIRST + timedelta(hours=1, minutes=30))
    assert [vote.external_id for vote in imported_votes(board, before)] == ["z"]


def test_staff_look_at_imported_votes_and_change_none(tmp_path: Path, admin_client: Client) -> None:
    run(write_lines(tmp_path / "v.jsonl", [ebaluatoia_row(7)]), "ebaluatoia")
    vote = ImportedVote.objects.get()
    listed = admin_client.get("/admin/arena/importedvote/", {"board__id__exact": vote.board_id})
    assert vote.external_id in listed.content.decode()
    shown = admin_client.get(f"/admin/arena/importedvote/{vote.pk}/change/")
    assert "Kaixo 7" in shown.content.decode()
    assert (
        admin_client.post(f"/admin/arena/importedvote/{vote.pk}/change/", {"voter": "z"}).status_code == 403
    )
    assert (
        admin_client.post(f"/admin/arena/importedvote/{vote.pk}/delete/", {"post": "yes"}).status_code == 403
    )


@pytest.mark.parametrize("wrong", [{"content": ""}, {"winner": "?"}, {"model_b": "x"}, {"source": "lmarena"}])
def test_the_database_refuses_a_vote_that_is_none(tmp_path: Path, wrong: dict[str, str]) -> None:
    run(write_lines(tmp_path / "v.jsonl", [ebaluatoia_row()]), "ebaluatoia")
    with pytest.raises(IntegrityError), transaction.atomic():
        ImportedVote.objects.update(**wrong)
