"""Which code computed something."""

from __future__ import annotations

import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_HERE = Path(__file__).resolve().parent


@cache
def code_version() -> str:
    """The package's version, with the commit where the code runs from a checkout: ``0.1.0+6baac16``."""
    try:
        released = version("lehia")
    except PackageNotFoundError:
        released = "0"
    try:
        found = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=_HERE, capture_output=True, text=True, check=False
        )
    except OSError:
        return released  # no git on this machine
    commit = found.stdout.strip()
    return f"{released}+{commit}" if found.returncode == 0 and commit else released
