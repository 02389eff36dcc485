"""What DATA/ and BASE/ stand for."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from training import paths
from training.errors import BadRecipe
from training.paths import Roots, resolve


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (paths.DATA, paths.BASE, paths.TOKENS):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(("name", "variable"), [("DATA", paths.DATA), ("BASE", paths.BASE)])
def test_an_option_goes_before_the_environment(
    name: str, variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, environment = tmp_path / "given", tmp_path / "environment"
    given.mkdir()
    environment.mkdir()
    monkeypatch.setenv(variable, str(environment))
    assert resolve(f"{name}/a/b.jsonl", Roots()) == environment / "a" / "b.jsonl"
    assert resolve(f"{name}/a/b.jsonl", Roots(data=given, base=given)) == given / "a" / "b.jsonl"


@pytest.mark.parametrize("path", ["/data/x.jsonl", "x.jsonl", "DATA", "DATASETS/x", "data/x"])
def test_any_other_path_is_taken_as_it_is(path: str, tmp_path: Path) -> None:
    assert resolve(path, Roots(tmp_path, tmp_path)) == Path(path)


@pytest.mark.parametrize("name", ["DATA", "BASE"])
def test_what_nothing_stands_for_says_what_to_do(name: str) -> None:
    with pytest.raises(BadRecipe, match=f"--{name.lower()} DIR or LEHIA_TRAINING_{name}"):
        resolve(f"{name}/x", Roots())


def test_a_root_that_is_no_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadRecipe, match=f"{tmp_path}/none.*no such folder"):
        resolve("DATA/x", Roots(data=tmp_path / "none"))


@pytest.mark.parametrize("path", ["DATA/../x", "DATA/a/../../x"])
def test_no_path_leads_out_of_its_root(path: str, tmp_path: Path) -> None:
    with pytest.raises(BadRecipe, match="out of"):
        resolve(path, Roots(data=tmp_path))


def test_options_of_a_command_become_roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parser = argparse.ArgumentParser()
    paths.add_options(parser)
    options = ["--data", "a", "--base", "b", "--tokens", "c"]
    assert Roots.of(parser.parse_args(options)) == Roots(Path("a"), Path("b"), Path("c"))
    assert Roots(tokens=Path("c")).store == Path("c")
    assert Roots.of(parser.parse_args([])).store == Path("var/tokens")
    monkeypatch.setenv(paths.TOKENS, str(tmp_path))
    assert Roots().store == tmp_path


def test_every_variable_is_documented(repository: Path) -> None:
    text = (repository / "docs" / "settings.md").read_text()
    assert all(f"- `{name}`" in text for name in (paths.DATA, paths.BASE, paths.TOKENS))
