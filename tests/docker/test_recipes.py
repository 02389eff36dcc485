"""What the rehearsal reads of a Dockerfile, and which parts of it can be run without an engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docker.rehearsal import recipes
from tests.docker.rehearsal.recipes import Stage, Step
from tests.docker.rehearsal.trees import Built, Tree

TEXT = """
# a comment
FROM debian:12.15-slim AS build
ENV A=1 \\
    # and one in the middle
    B="two words"
RUN one \\
    && two
FROM debian:12.15-slim AS site
COPY --from=build /a /b
CMD ["python", "-m", "site"]
"""


def test_lines_are_joined_and_comments_left_out() -> None:
    build, site = recipes.read(TEXT)
    assert (build.base, build.name, site.name) == ("debian:12.15-slim", "build", "site")
    assert build.steps[0].pairs() == {"A": "1", "B": "two words"}
    assert build.steps[1] == Step("RUN", "one && two")
    assert site.steps[0].copied() == ("build", ["/a"], "/b")
    assert site.steps[1].argv() == ["python", "-m", "site"]


def test_what_is_no_step_is_refused() -> None:
    with pytest.raises(ValueError, match="no step of a Dockerfile: 'run apt'"):
        recipes.read("FROM a AS b\nrun apt\n")


def test_the_rehearsal_knows_every_step_of_the_sites_image(repository: Path) -> None:
    stages = recipes.read((repository / "docker" / "Dockerfile").read_text())
    assert [stage.name for stage in stages] == ["build", "site"]
    words = {step.word for stage in stages for step in stage.steps}
    assert words == {"SHELL", "RUN", "WORKDIR", "COPY", "ENV", "USER", "EXPOSE", "HEALTHCHECK", "CMD"}


def test_steps_without_programs_become_what_the_next_one_runs_with(tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    steps = [
        Step("ENV", "PATH=/opt/bin:$PATH A=1"),
        Step("WORKDIR", "/srv/site"),
        Step("USER", "10001:10001"),
        Step("CMD", '["run"]'),
    ]
    tree = Built(base, tmp_path, tmp_path).build(Stage("debian", "site", steps))
    assert tree.env["PATH"] == f"/opt/bin:{Tree(base).env['PATH']}"
    assert (tree.env["A"], tree.cwd, tree.user, tree.command) == ("1", "/srv/site", "10001:10001", ["run"])
    assert (tmp_path / "site" / "srv" / "site").is_dir()
    with pytest.raises(ValueError, match="ONBUILD is a step that the rehearsal does not know"):
        Built(base, tmp_path, tmp_path).build(Stage("debian", "site", [Step("ONBUILD", "x")]))


def test_an_ordinary_user_has_no_rights_and_writes_where_it_may(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "tree", user="10001:10001")
    tree.root.mkdir()
    line = tree.entered(["run", "it's"], env={"A": "b c"}, scratch=["/tmp"], read_only=True)
    assert line[:4] == ["unshare", "--mount", "/bin/sh", "-ec"]
    for part in ("remount,bind,ro", "--no-new-privs", "--bounding-set=-all", "'A=b c'", "--reuid=10001"):
        assert part in line[4]
    assert line[4].index("tmpfs") < line[4].index("remount,bind,ro")
