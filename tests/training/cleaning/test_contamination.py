from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.data.cleaning import contamination
from training.data.cleaning.contamination import BETWEEN, build, load
from training.data.cleaning.grams import WordHashes, words
from training.data.rows import Fields, line
from training.errors import BadData

LONG = "bat bi hiru lau bost sei zazpi zortzi bederatzi hamar hamaika hamabi hamahiru hamalau hamabost"


def against(folder: Path, rows: list[Fields], n: int = 13) -> contamination.Against | None:
    path = folder / "task.jsonl"
    path.write_bytes(b"".join(map(line, rows)))
    build([path], n, folder / "against")
    return load(folder / "against")


def found(index: contamination.Against | None, *texts: str) -> list[tuple[int, str]]:
    assert index is not None
    pieces = [np.append(WordHashes().of(words(text)), BETWEEN) for text in texts]
    return list(index.find(np.concatenate(pieces)))


def test_thirteen_words_in_a_row_are_found_with_their_row(tmp_path: Path) -> None:
    index = against(tmp_path, [{"text": "beste bat"}, {"text": LONG}])
    run = " ".join(LONG.split()[1:14])
    assert found(index, f"hasiera {run} amaiera") == [(1, f"{tmp_path}/task.jsonl:2")]
    assert found(index, f"hasiera {' '.join(LONG.split()[1:13])} amaiera") == []


def test_case_and_signs_do_not_hide_a_run(tmp_path: Path) -> None:
    index = against(tmp_path, [{"text": LONG}])
    assert len(found(index, "¡" + ", ".join(LONG.upper().split()) + "!")) == 3


def test_a_run_does_not_reach_over_the_end_of_a_document(tmp_path: Path) -> None:
    index = against(tmp_path, [{"text": LONG}])
    half = LONG.split()
    assert found(index, " ".join(half[:8]), " ".join(half[8:])) == []


def test_every_text_of_a_row_counts_however_deep(tmp_path: Path) -> None:
    rows: list[Fields] = [{"id": 3, "choices": [{"text": LONG}, None], "label": True}]
    assert len(found(against(tmp_path, rows), LONG)) == 3


def test_a_row_of_fewer_words_is_one_run(tmp_path: Path) -> None:
    nine = " ".join(LONG.split()[:9])
    index = against(tmp_path, [{"question": nine}])
    assert len(found(index, f"eta {nine} gero")) == 1
    assert found(index, f"eta {' '.join(LONG.split()[:8])} gero") == []


def test_a_row_of_few_words_is_no_evidence(tmp_path: Path) -> None:
    seven = " ".join(LONG.split()[:7])
    assert against(tmp_path, [{"question": seven}]) is None
    path = tmp_path / "task.jsonl"
    assert build([path], 13, tmp_path / "again")["texts_too_short"] == 1


def test_nothing_to_compare_with(tmp_path: Path) -> None:
    assert load(tmp_path) is None
    told = build([], 13, tmp_path / "against")
    assert load(tmp_path / "against") is None
    assert told["rows"] == told["runs"] == 0


def test_bad_rows_of_evaluation_sets_are_told(tmp_path: Path) -> None:
    path = tmp_path / "task.jsonl"
    path.write_bytes(b"{\n" + line({"text": LONG}))
    told = build([path], 13, tmp_path / "against")
    assert told["bad_rows"]["reasons"] == {"not JSON": {"rows": 1, "first": [f"{path}:1"]}}
    assert (told["rows"], told["runs"]) == (1, 3)


def test_more_runs_than_memory_holds_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contamination, "MOST_RUNS", 2)
    with pytest.raises(BadData, match=r"task\.jsonl:1: more than 2 runs"):
        against(tmp_path, [{"text": LONG}])


def test_hashes_stay_on_disk(tmp_path: Path) -> None:
    index = against(tmp_path, [{"text": LONG}])
    assert index is not None
    assert isinstance(index.runs, np.memmap)
    assert isinstance(index.seen, np.memmap)


def test_many_rows_are_told_apart(tmp_path: Path) -> None:
    rows: list[Fields] = [{"text": " ".join(f"{word}{n}" for word in LONG.split()[:13])} for n in range(200)]
    index = against(tmp_path, rows)
    for n in (0, 57, 199):
        assert found(index, str(rows[n]["text"])) == [(0, f"{tmp_path}/task.jsonl:{n + 1}")]
    assert found(index, " ".join(f"{word}200" for word in LONG.split()[:13])) == []
