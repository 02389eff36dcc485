"""Key files: ``NAME=value`` lines that systemd, compose, bash and this package read alike."""

from __future__ import annotations

import re
from pathlib import Path

from inference.fleet.errors import BadFleet

API_KEY = "VLLM_API_KEY"
_LINE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(\S*)")


def read_keys(path: str | None) -> dict[str, str]:
    """The variables of a key file; none where there is no file to read.

    Values are taken as they stand and may hold no spaces or quotes, about which its four readers disagree.

    Raises
    ------
    BadFleet
        For a file that cannot be read, or a line that is no variable; the line's number is named and never its text.
    """
    if path is None:
        return {}
    try:
        lines = Path(path).read_text().splitlines()
    except OSError as error:
        raise BadFleet(f"key_file {path}: {error.strerror}") from None
    found = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None or set(match.group(2)) & set("\"'`$\\"):
            raise BadFleet(f"key_file {path}: line {number} is not NAME=value without spaces, quotes or $")
        found[match.group(1)] = match.group(2)
    return found
