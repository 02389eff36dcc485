"""A cleaning that is killed and started again."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.training.cleaning.planted import contents, planted
from training.data.cleaning import run
from training.data.cleaning import work as stored
from training.data.cleaning.clean import Batch
from training.data.cleaning.language import identifier
from training.data.cleaning.options import Options, options
from training.data.cleaning.run import clean_corpus, read_batches
from training.data.rows import line
from training.errors import BadData

# newer Pythons warn of forks beside threads; numpy's do nothing here
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
SMALL = options(batch_characters=12_000, shard_mb=1, near_similarity=0.6)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    path = planted(12, seed=2).write(folder / "rows.jsonl")
    path.write_bytes(path.read_bytes() + b"no json\n" * 3)
    return path


@pytest.fixture(scope="module")
def unbroken(source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("unbroken")
    clean_corpus([source], folder, SMALL)
    return contents(folder)


def killed_at(place: int, source: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Clean in a process that is killed as it is about to write its *place*-th file; whether it was, before it came to an end."""
    identifier()  # loaded once, for all processes that follow
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    try:
        _kill_before(place, monkeypatch)
        clean_corpus([source], folder, SMALL)
    finally:
        os._exit(0)


def _kill_before(place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    left = place

    def count() -> None:
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    replace, write = Path.replace, stored.Work.write

    def counted_replace(self: Path, target: Path) -> Path:
        count()
        return replace(self, target)

    def counted_write(self: stored.Work, stage: str, batch: int, kind: str, raw: bytes) -> None:
        write(self, stage, batch, kind, raw[: len(raw) // 2])  # half a file is what a kill may leave
        count()
        write(self, stage, batch, kind, raw)

    monkeypatch.setattr(Path, "replace", counted_replace)
    monkeypatch.setattr(stored.Work, "write", counted_write)


def test_killed_again_and_again_it_ends_with_the_same_bytes(
    source: Path, unbroken: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kills = 0
    while killed_at(9, source, tmp_path, monkeypatch):
        kills += 1
        assert kills < 100
    assert kills >= 4
    assert contents(tmp_path) == unbroken


@pytest.mark.parametrize("place", [1, 2, 7, 23, 38, 47, 50])
def test_killed_once_anywhere_it_ends_with_the_same_bytes(
    source: Path, unbroken: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    killed_at(place, source, tmp_path, monkeypatch)
    clean_corpus([source], tmp_path, SMALL)
    assert contents(tmp_path) == unbroken


def test_finished_batches_are_not_cleaned_again(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert killed_at(20, source, tmp_path, monkeypatch)
    done = {path: path.stat().st_mtime_ns for path in (tmp_path / "work" / "clean").glob("*.json")}
    assert done
    assert killed_at(3, source, tmp_path, monkeypatch)
    assert {path: path.stat().st_mtime_ns for path in done} == done


def test_what_is_cleaned_is_not_read_again(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert killed_at(20, source, tmp_path, monkeypatch)
    done = len(list((tmp_path / "work" / "clean").glob("*.json")))
    asked: list[tuple[object, int]] = []

    def read(files: object, start: tuple[int, int], number: int, chosen: Options) -> Iterator[Batch]:
        asked.append((start, number))
        return read_batches([source], start, number, chosen)

    monkeypatch.setattr(run, "read_batches", read)
    clean_corpus([source], tmp_path, SMALL)
    [(start, number)] = asked
    assert start != (0, 0)
    assert number == done > 1


def test_work_under_way_is_gone_at_the_end(source: Path, tmp_path: Path) -> None:
    clean_corpus([source], tmp_path, SMALL)
    assert {path.name for path in tmp_path.iterdir()} == {
        ".lock",
        "corpus-00000.jsonl.zst",
        "report.json",
        "request.json",
    }


def test_two_cannot_work_in_one_folder(source: Path, tmp_path: Path) -> None:
    with (tmp_path / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)  # even one who only looks on
        with pytest.raises(BadData, match="another process"):
            clean_corpus([source], tmp_path, SMALL)


def test_inputs_that_changed_meanwhile_are_refused(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(source.read_bytes())
    assert killed_at(10, path, tmp_path / "out", monkeypatch)
    path.write_bytes(source.read_bytes() + line({"text": "berria"}))
    with pytest.raises(BadData, match="other inputs"):
        clean_corpus([path], tmp_path / "out", SMALL)


def test_a_file_that_breaks_off_is_told_and_can_be_mended(source: Path, tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    path.write_bytes(b"PAR1 and nothing more")
    with pytest.raises(BadData, match=r"rows\.parquet: "):
        clean_corpus([path], tmp_path / "out", SMALL)
