"""The images' recipes: by the rules of hadolint, and by ours."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

HADOLINT = Path(sys.prefix) / "bin" / "hadolint"
RECIPES = ("Dockerfile", "training.Dockerfile")
SITE_WITHOUT = ("torch", "transformers", "vllm")


@pytest.fixture(params=RECIPES)
def recipe(request: pytest.FixtureRequest, repository: Path) -> Path:
    return repository / "docker" / str(request.param)


@pytest.mark.skipif(not HADOLINT.exists(), reason="no wheel of hadolint for this kind of machine")
def test_hadolint_finds_nothing(recipe: Path) -> None:
    done = subprocess.run([str(HADOLINT), str(recipe)], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0)


def test_stages_start_from_one_pinned_image_and_end_as_an_ordinary_user(recipe: Path) -> None:
    text = recipe.read_text()
    bases = re.findall(r"^FROM (\S+) AS (\w+)$", text, re.MULTILINE)
    assert len({image for image, _ in bases}) == 1
    assert re.fullmatch(r"debian:\d+\.\d+-slim", bases[0][0])
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE) == ["10001:10001"]
    assert text.rindex("USER ") > text.rindex("FROM ")
    assert "HEALTHCHECK" in text


def test_what_is_copied_is_there_and_is_let_into_the_context(recipe: Path, repository: Path) -> None:
    allowed = re.findall(r"^!(.*)$", Path(f"{recipe}.dockerignore").read_text(), re.MULTILINE)
    copied = [
        word
        for line in re.findall(r"^COPY (?!--from)(.*)$", recipe.read_text(), re.MULTILINE)
        for word in line.split()[:-1]
    ]
    assert copied
    for path in copied:
        assert (repository / path).exists(), path
        assert path in allowed


def test_the_sites_image_gets_the_base_packages_alone(repository: Path) -> None:
    text = (repository / "docker" / "Dockerfile").read_text()
    assert "['project']['dependencies']" in text
    assert "optional-dependencies" not in text
    wanted = re.search(
        r"^dependencies = \[(.*?)^\]", (repository / "pyproject.toml").read_text(), re.MULTILINE | re.DOTALL
    )
    assert wanted is not None
    for name in SITE_WITHOUT:
        assert f'"{name}' not in wanted[1]
