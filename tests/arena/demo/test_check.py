"""The demo as a whole: ``demo --check`` on real parts, alone and beside a running demo, and its clean end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from arena.demo.models import RECIPES
from arena.demo.run import fresh_process_environment
from arena.embedded.ports import free_port
from inference.processes import wait_until


def of_folder(folder: Path) -> list[str]:
    """Command lines of the processes that name *folder* or have it in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            text = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if os.fsencode(folder) in text and int(process.name) != os.getpid():
            found.append((process / "cmdline").read_bytes().decode())
    return found


@pytest.fixture
def place() -> Path:
    """A folder that a server run by another user may enter, its name short enough for that server's socket."""
    made = Path(tempfile.mkdtemp(prefix="c-", dir=os.environ["LEHIA_DATA"]))
    made.chmod(0o711)
    return made


def check(repository: Path, scratch: Path) -> dict[str, object]:
    """``demo --check`` with its folders under *scratch*; its one line of JSON."""
    scratch.mkdir(mode=0o711, exist_ok=True)
    done = subprocess.run(
        [sys.executable, "manage.py", "demo", "--check"],
        cwd=repository,
        env=fresh_process_environment(str(scratch / "unused")) | {"TMPDIR": str(scratch)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert not list(scratch.glob("lehia-check-*"))
    assert of_folder(scratch) == []
    report: dict[str, object] = json.loads(done.stdout)
    return report


@pytest.mark.slow  # a whole demo, which tests of the browser start as well
@pytest.mark.model_server
@pytest.mark.usefixtures("trained")
def test_the_check_passes_and_leaves_nothing(repository: Path, place: Path) -> None:
    assert_whole(check(repository, place / "own"))


@pytest.mark.slow
@pytest.mark.model_server
@pytest.mark.usefixtures("trained")
def test_the_check_passes_beside_a_running_demo_that_ends_whole(repository: Path, place: Path) -> None:
    beside, log = place / "beside", place / "log"
    with log.open("wb") as output:
        demo = subprocess.Popen(
            [sys.executable, "manage.py", "demo", "--port", str(free_port())],
            cwd=repository,
            env=fresh_process_environment(str(beside)),
            stdout=subprocess.DEVNULL,
            stderr=output,
        )
    try:
        wait_until(lambda: b"Lehia is at" in log.read_bytes() or demo.poll() is not None, within_s=180)
        assert demo.poll() is None, log.read_text()
        assert_whole(check(repository, place / "own"))
    finally:
        demo.send_signal(signal.SIGINT)
        assert demo.wait(60) == 0
    assert of_folder(beside) == []


def assert_whole(report: dict[str, object]) -> None:
    Draft202012Validator(REPORT).validate(report)


_SIDE = {
    "type": "object",
    "properties": {
        "side": {"enum": ["A", "B"]},
        "tokens": {"type": "integer", "minimum": 1},
        "first_token_ms": {"type": "integer", "minimum": 0},
        "finish_reason": {"enum": ["stop", "length"]},
    },
    "required": ["side", "tokens", "first_token_ms", "finish_reason"],
}
REPORT = {
    "type": "object",
    "properties": {
        "ok": {"const": True},
        "seconds": {"type": "number", "exclusiveMinimum": 0},
        "candidates": {"const": sorted(RECIPES)},
        "battle": {
            "type": "object",
            "properties": {
                "model_a": {"enum": list(RECIPES)},
                "model_b": {"enum": list(RECIPES)},
                "turns": {"type": "array", "minItems": 4, "maxItems": 4, "items": _SIDE},
            },
            "required": ["id", "model_a", "model_b", "turns"],
        },
        "vote": {
            "type": "object",
            "properties": {"winner": {"const": "a_better"}},
            "required": ["id", "winner"],
        },
        "board": {
            "type": "object",
            "properties": {"n_votes": {"const": 1}},
            "required": ["n_votes", "ratings"],
        },
    },
    "required": ["ok", "seconds", "candidates", "battle", "vote", "board"],
}
