from __future__ import annotations

import csv
import gzip
import json
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ranking.ballots import NOBODY, Ballots
from ranking.errors import BadInput
from ranking.readers import PAIR_COLUMNS, Layout, ballots_of, read_rows, read_tally, voter_column
from ranking.types import Criterion, Outcome
from tests.ranking.builders import Vote, make_tally, votes_strategy

HEADER = ",".join(PAIR_COLUMNS)
WINNERS = {
    Outcome.A_BETTER: "model_a",
    Outcome.B_BETTER: "model_b",
    Outcome.TIE: "tie",
    Outcome.BOTH_BAD: "both_bad",
}


def make_file(folder: Path, content: str | bytes, name: str = "votes") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def json_lines(rows: Sequence[Mapping[str, object]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def refused(folder: Path, content: str | bytes, **options: object) -> BadInput:
    with pytest.raises(BadInput) as caught:
        read_tally(make_file(folder, content), **options)  # type: ignore[arg-type]  # options by name
    return caught.value


def test_pair_counts_are_read(tmp_path: Path) -> None:
    tally = read_tally(make_file(tmp_path, f"{HEADER}\nx,y,6,1,2,3\ny,x,4,4,0,0\n"))
    assert tally.equals(make_tally("x>y", "x<y*2", "x=y*3", "y>x*4"))


def test_votes_as_csv_are_read_and_columns_beyond_are_ignored(tmp_path: Path) -> None:
    text = (
        "id,model_b,model_a,winner,conv\r\n1,y,x,model_a,hi\r\n2,y,x,tie (bothbad),\r\n3,x,y,both_bad,z\r\n"
    )
    assert read_tally(make_file(tmp_path, text)).equals(make_tally("x>y", "x!y", "y!x"))


def test_votes_as_json_lines_are_read_with_blank_lines_between(tmp_path: Path) -> None:
    text = '\n{"model_a": "x", "model_b": "y", "winner": "tie"}\n\n{"model_a":"y","model_b":"x","winner":"model_b"}'
    assert read_tally(make_file(tmp_path, text)).equals(make_tally("x=y", "y<x"))


def test_pair_counts_as_json_lines_are_read(tmp_path: Path) -> None:
    row = {"model_a": "x", "model_b": "y", "n": 3, "a_wins": 1, "b_wins": 0, "ties": 2}
    assert read_tally(make_file(tmp_path, json_lines([row]))).equals(make_tally("x>y", "x=y*2"))


def test_each_criterion_has_its_own_winner(tmp_path: Path) -> None:
    row = {"model_a": "x", "model_b": "y", "winner": "tie", "winner_content": "model_a"}
    path = make_file(tmp_path, json_lines([row | {"winner_language": "model_b"}]))
    read = {criterion: read_tally(path, criterion=criterion) for criterion in Criterion}
    assert read[Criterion.OVERALL].equals(make_tally("x=y"))
    assert read[Criterion.CONTENT].equals(make_tally("x>y"))
    assert read[Criterion.LANGUAGE].equals(make_tally("x<y"))


def packed_by_zstd(data: bytes) -> bytes:
    packed: bytes = pyarrow.compress(data, codec="zstd", asbytes=True)
    return packed


@pytest.mark.parametrize("pack", [gzip.compress, packed_by_zstd])
def test_packing_and_a_byte_order_mark_are_seen_through(
    pack: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    text = "\ufeffmodel_a,model_b,winner\nñ,y,model_a\n"
    path = make_file(tmp_path, pack(text.encode()), "votes.csv.packed")
    assert read_tally(path).equals(make_tally("ñ>y"))


def test_spaces_around_a_name_are_no_part_of_it(tmp_path: Path) -> None:
    assert read_tally(make_file(tmp_path, f"{HEADER}\n x , y,1,1,0, 0\n")).equals(make_tally("x>y"))


def test_a_header_without_rows_is_an_empty_tally(tmp_path: Path) -> None:
    for header in (HEADER, "model_a,model_b,winner"):
        assert read_tally(make_file(tmp_path, header)).models == ()


def test_a_field_of_a_megabyte_is_no_obstacle(tmp_path: Path) -> None:
    limit = csv.field_size_limit()
    text = f"model_a,model_b,winner,conv\nx,y,tie,{'a' * 2**20}\n"
    assert read_tally(make_file(tmp_path, text)).n_votes == 1
    assert csv.field_size_limit() == limit


def test_a_winner_beside_pair_columns_means_votes(tmp_path: Path) -> None:
    path = make_file(tmp_path, f"{HEADER},winner\nx,y,0,0,0,0,tie\n")
    assert read_tally(path).equals(make_tally("x=y"))


def ballots_in(folder: Path, content: str, **options: object) -> Ballots:
    table = read_rows(make_file(folder, content))
    return ballots_of(table, Criterion.OVERALL, **options)  # type: ignore[arg-type]  # options by name


def test_ballots_know_who_voted_and_what_each_vote_weighs(tmp_path: Path) -> None:
    text = "username,model_a,model_b,winner,weight\njon,y,x,model_a,0.5\n,x,y,tie,2\nane,x,y,model_b,1\njon,x,z,tie,0\n"
    ballots = ballots_in(tmp_path, text, voter="username")
    assert ballots.models == ("x", "y", "z")
    assert ballots.a.tolist() == [1, 0, 0, 0]
    assert ballots.outcome.tolist() == [0, 2, 1, 2]
    assert ballots.weights().tolist() == [0.5, 2, 1, 0]
    first, nobody, second, again = ballots.user.tolist()
    assert first == again
    assert nobody == NOBODY
    assert len({first, nobody, second}) == 3


def test_ballots_without_a_voter_or_a_weight_are_nobodys_and_weigh_one(tmp_path: Path) -> None:
    ballots = ballots_in(tmp_path, "user,model_a,model_b,winner\nane,x,y,tie\n")
    assert ballots.user.tolist() == [NOBODY]
    assert ballots.weight is None


def test_a_key_that_only_some_json_rows_have_is_found(tmp_path: Path) -> None:
    vote = {"model_a": "x", "model_b": "y", "winner": "tie"}
    path = make_file(tmp_path, json_lines([vote, vote | {"user": 7, "weight": 0.25}]))
    table = read_rows(path)
    assert voter_column(table) == "user"
    ballots = ballots_of(table, Criterion.OVERALL, voter="user")
    assert ballots.weights().tolist() == [1, 0.25]
    assert ballots.user.tolist() == [NOBODY, 1]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ("id", None),
        ("judge,user", "user"),
        ("worker,judge", "judge"),
        ("user,username", "username"),
        ("worker", "worker"),
        ("User", None),
    ],
)
def test_the_first_column_that_says_who_voted_is_taken(
    tmp_path: Path, columns: str, expected: str | None
) -> None:
    path = make_file(tmp_path, f"model_a,model_b,winner,{columns}\n")
    assert voter_column(read_rows(path)) == expected


@pytest.mark.parametrize(
    ("rows", "line", "column"),
    [
        ("x,y,tie,1,ane\nx,y,tie,,jon\n", 3, "weight"),
        ("x,y,tie,-1,ane\n", 2, "weight"),
        ("x,y,tie,nan,ane\n", 2, "weight"),
        ("x,y,tie,1,ane\nx,y,tie,1,\n", 3, "user"),
        ("x,y,me,1,ane\n,y,tie,1,ane\n", 2, "winner"),
    ],
)
def test_the_first_bad_ballot_is_refused_with_its_line_and_column(
    tmp_path: Path, rows: str, line: int, column: str
) -> None:
    with pytest.raises(BadInput) as caught:
        ballots_in(tmp_path, "model_a,model_b,winner,weight,user\n" + rows, voter="user", all_named=True)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_a_voter_column_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        ballots_in(tmp_path, "model_a,model_b,winner\nx,y,tie\n", voter="session")
    assert (caught.value.line, caught.value.column) == (1, "session")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(votes_strategy)
def test_the_ballots_of_a_file_have_its_tally(tmp_path: Path, votes: list[Vote]) -> None:
    rows = [f"{a},{b},{WINNERS[outcome]},u{place % 3}\n" for place, (a, b, outcome) in enumerate(votes)]
    text = "model_a,model_b,winner,user\n" + "".join(rows)
    ballots = ballots_in(tmp_path, text, voter="user")
    assert ballots.tally().equals(read_tally(make_file(tmp_path, text)))
    assert len(set(ballots.user)) == min(3, len(votes))


def test_weights_of_one_are_votes_and_other_weights_are_refused(tmp_path: Path) -> None:
    text = "model_a,model_b,winner,weight\nx,y,tie,1\nx,y,tie,1.0\n"
    assert read_tally(make_file(tmp_path, text)).n_votes == 2
    error = refused(tmp_path, text + "x,y,tie,0.5\n")
    assert (error.line, error.column) == (4, "weight")


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("", 1, "model_a"),
        ("\n\n", 1, "model_a"),
        ("model_a,winner\n", 1, "model_b"),
        ("model_a,model_b\nx,y\n", 1, "winner"),
        (f"{HEADER},n\n", 1, "n"),
        ("model_a,model_b,winner,,\n", 1, "with no name"),
        ("model_a,model_b,a_wins,b_wins\nx,y,1,2\n", 1, "n"),
        (f"{HEADER}\nx,y,1,1,0,0\nx,z,1,one,0,0\n", 3, "a_wins"),
        (f"{HEADER}\nx,y,1,-1,2,0\n", 2, "a_wins"),
        (f"{HEADER}\nx,y,1.0,1,0,0\n", 2, "n"),
        (f"{HEADER}\nx,y,1_0,10,0,0\n", 2, "n"),
        (f"{HEADER}\nx,y,٣,3,0,0\n", 2, "n"),
        (f"{HEADER}\nx,y,,1,0,0\n", 2, "n"),
        (f"{HEADER}\nx,y,3,1,1,0\n", 2, "n"),
        (f"{HEADER}\nx,x,1,1,0,0\n", 2, "model_b"),
        (f"{HEADER}\n,y,1,1,0,0\n", 2, "model_a"),
        (f"{HEADER}\nx,y,1,1,0\n", 2, "ties"),
        (f"{HEADER}\nx,y,1,1,0,0,9\n", 2, "7"),
        (f"{HEADER}\nx,y,{2**53 - 1},{2**53 - 1},0,0\nx,y,1,1,0,0\n", 3, "n"),
        (f"{HEADER}\nx,y,{10**40},{10**40},0,0\n", 2, "n"),
        (f"{HEADER}\n{'x' * 121},y,1,1,0,0\n", 2, "model_a"),
        ("model_a,model_b,winner\nx,y,model_a\nx,y,draw\n", 3, "winner"),
        ("model_a,model_b,winner\nx,y,Model_A\n", 2, "winner"),
        ("model_a,model_b,winner\nx,\x00,tie\n", 2, "model_b"),
        ('model_a,model_b,winner,c\nx,y,tie,"two\nlines"\nx,y,no,"z"\n', 4, "winner"),
        ('model_a,model_b,winner,c\nx,y,no,"two\nlines"\n', 2, "winner"),
        ('model_a,model_b,winner\nx,"y"z,tie\n', 2, "1"),
        ('model_a,model_b,winner\nx,"y,tie\n', 2, "1"),
        ('{"model_a": "x", "model_b": "y", "winner": "tie"}\n{"model_a": \n', 2, "13"),
        ('{"model_a": "x", "model_b": "y", "winner": "tie"}\n["x"]\n', 2, "1"),
        ('[{"model_a": "x"}]', 1, "1"),
        ('\n{"model_a": "x", "model_b": "y"}', 2, "winner"),
        (
            '{"model_a": "x", "model_b": "y", "winner": "tie"}\n{"model_a": "x", "winner": "tie"}',
            2,
            "model_b",
        ),
        ('{"model_a": "x", "model_b": "y", "winner": 1}', 1, "winner"),
        ('{"model_a": 5, "model_b": "y", "winner": "tie"}', 1, "model_a"),
        ('{"a":' * 100_000, 1, "1"),
        ('{"a": ' + "9" * 5000 + "}", 1, "1"),
        ('{"model_a":"x","model_b":"y","n":1,"a_wins":true,"b_wins":0,"ties":0}', 1, "a_wins"),
    ],
)
def test_a_bad_row_is_refused_with_its_line_and_column(
    tmp_path: Path, text: str, line: int, column: str
) -> None:
    error = refused(tmp_path, text)
    assert (error.line, error.column) == (line, column)
    assert str(error).startswith(f"line {line}, column {column}: ")
    assert len(str(error)) < 200


def test_a_missing_criterion_is_a_missing_column(tmp_path: Path) -> None:
    error = refused(tmp_path, "model_a,model_b,winner\nx,y,tie\n", criterion=Criterion.CONTENT)
    assert (error.line, error.column) == (1, "winner_content")


def test_pair_counts_carry_overall_alone(tmp_path: Path) -> None:
    error = refused(tmp_path, f"{HEADER}\n", criterion=Criterion.LANGUAGE)
    assert "one criterion, overall" in str(error)


def test_a_wanted_layout_is_not_replaced_by_another(tmp_path: Path) -> None:
    votes = "model_a,model_b,winner\nx,y,tie\n"
    error = refused(tmp_path, votes, layout=Layout.PAIRS)
    assert (error.line, error.column) == (1, "n")


def test_bytes_that_are_no_text_are_refused_with_their_place(tmp_path: Path) -> None:
    error = refused(tmp_path, b"model_a,model_b,winner\nx,\xff,tie\n")
    assert (error.line, error.column) == (2, "byte 3")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x1f\x8bnothing", "packed data is damaged"),
        (b"\x28\xb5\x2f\xfdnothing", "packed data is damaged"),
        (packed_by_zstd(b"model_a,model_b,winner\n" * 99)[:-20], "packed data is damaged"),
        (gzip.compress(b"model_a,model_b,winner\n" * 99, mtime=0)[:-20], "packed data is damaged"),
        (
            gzip.compress(random.Random(1).randbytes(999), mtime=0)[:40] + b"\0" * 400,
            "packed data is damaged",
        ),
        (b"PAR1\x15\x04", "Parquet"),
    ],
)
def test_what_is_no_readable_file_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    assert said in str(refused(tmp_path, content))


def test_without_pyarrow_zstandard_is_refused_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = packed_by_zstd(b"model_a,model_b,winner\nx,y,tie\n")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert "needs pyarrow; unpack it first" in str(refused(tmp_path, packed))


def test_a_file_that_is_not_there_is_refused_in_the_words_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file"):
        read_tally(tmp_path / "none.csv")
    with pytest.raises(BadInput, match="directory"):
        read_tally(tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(votes_strategy.filter(bool), st.integers(0, 60))
def test_layouts_and_parts_of_a_file_hold_the_same_tally(tmp_path: Path, votes: list[Vote], cut: int) -> None:
    rows = [{"model_a": a, "model_b": b, "winner": WINNERS[outcome]} for a, b, outcome in votes]
    as_csv = "model_a,model_b,winner\n" + "".join(",".join(row.values()) + "\n" for row in rows)
    whole = read_tally(make_file(tmp_path, as_csv))
    assert read_tally(make_file(tmp_path, json_lines(rows))).equals(whole)
    header = "model_a,model_b,winner\n"
    halves = [
        read_tally(make_file(tmp_path, header + "".join(",".join(row.values()) + "\n" for row in part)))
        for part in (rows[:cut], rows[cut:])
    ]
    assert halves[0].merged(halves[1]).equals(whole)
