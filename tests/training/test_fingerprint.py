"""A revision changes with what decides weights, and with nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from training import config, fingerprint
from training.config import Recipe

load = config.resolved


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Source files are read once a process; here they change."""
    fingerprint._code.cache_clear()
    yield
    fingerprint._code.cache_clear()


def revision(recipe: Recipe) -> str:
    return fingerprint.fingerprint(recipe)


def test_it_is_twelve_hex_digits_and_the_same_twice() -> None:
    assert re.fullmatch(r"[0-9a-f]{12}", revision(load("txiki_110")))
    assert revision(load("txiki_110")) == revision(load("txiki_110"))
    assert len({revision(load(code)) for code in config.names()}) == len(config.names())


@pytest.mark.parametrize(
    "change",
    ["schedule.steps=9", "schedule.seed=1", "batch.rows=3", "optimizer.learning_rate=1.0e-3", "method.precision=bf16",
     "data.row_tokens=128", "shape.hidden=64", "data.shares={corpus: 0.06, eu: 0.94}", "batch.processes=2"],
)  # fmt: skip
def test_values_that_decide_weights_are_in_it(change: str) -> None:
    assert revision(load("txiki_110", [change])) != revision(load("txiki_110"))


@pytest.mark.parametrize(
    "change",
    ["name=Beste bat", "description=x", "licence=x", "sampling.temperature=0.1", "cadence.kept=7", "cadence.steps_a_log=1",
     "data.evaluation={held: {path: DATA/x.jsonl, kind: chats, factor: eu}}", "data.sources.english.path=DATA/unused.jsonl"],
)  # fmt: skip
def test_values_for_people_servers_and_measuring_are_not(change: str) -> None:
    assert revision(load("txiki_110", [change])) == revision(load("txiki_110"))


def test_of_a_backbone_the_path_counts_and_not_what_it_is_called() -> None:
    plain = revision(load("exp_0_110"))
    assert revision(load("exp_0_110", ["backbone.name=x", "backbone.parameters_b=7"])) == plain
    assert revision(load("exp_0_110", ["backbone.path=BASE/other"])) != plain


def test_modules_that_weights_pass_through_are_found_by_their_imports() -> None:
    found = set(fingerprint.deciding_modules())
    assert found >= {"trainer", "loss", "model", "neftune", "optimizer", "order", "schedule", "tokenizer"}
    assert found >= {"data.tokenise", "data.pack", "data.corpus", "data.families", "data.facts"}


def test_what_starts_writes_down_or_measures_is_not_among_them() -> None:
    found = set(fingerprint.deciding_modules())
    aside = {
        "cli",
        "commands.train",
        "train",
        "embedded",
        "manifest",
        "progress",
        "evaluate",
        "run_folder",
        "signals",
    }
    assert not found & (aside | fingerprint.ASIDE)


def test_names_of_modules_are_all_real() -> None:
    for name in {*fingerprint.DECIDING, *fingerprint.ASIDE}:
        assert fingerprint._file(name).is_file(), name


def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package as a copy that can be changed."""
    here = fingerprint._HERE
    for pattern in ("*.py", "data/*.py", *fingerprint._TEXTS):
        for path in here.glob(pattern):
            copy = tmp_path / path.relative_to(here)
            copy.parent.mkdir(exist_ok=True)
            copy.write_bytes(path.read_bytes())
    monkeypatch.setattr(fingerprint, "_HERE", tmp_path)
    return tmp_path


def changed(path: Path, text: str = "\nX = 1\n") -> None:
    path.write_text(path.read_text() + text)
    fingerprint._code.cache_clear()


def test_code_and_texts_behind_the_weights_are_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, before = load("txiki_110"), revision(load("txiki_110"))
    package = copied(tmp_path, monkeypatch)
    fingerprint._code.cache_clear()
    assert revision(recipe) == before  # wherever the package lies
    for name in ("signals.py", "manifest.py", "progress.py", "metrics.py", "cli.py", "train.py"):
        changed(package / name)
    assert revision(recipe) == before
    seen = {before}
    for name in ("loss.py", "data/pack.py", "data/facts.py", "corpus/prosa.txt", "templates/llama31.jinja"):
        changed(package / name)
        seen.add(revision(recipe))
    assert len(seen) == 6


def test_a_module_that_a_deciding_one_comes_to_import_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = copied(tmp_path, monkeypatch)
    (package / "newcomer.py").write_text("Y = 2\n")
    assert "newcomer" not in fingerprint.deciding_modules()
    changed(package / "schedule.py", "\nfrom training.newcomer import Y\n")
    assert "newcomer" in fingerprint.deciding_modules()
    before = revision(load("txiki_110"))
    changed(package / "newcomer.py")
    assert revision(load("txiki_110")) != before
