"""What a run's weights depend on, as a short name: a recipe's values and the code and texts behind it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from training.config import Recipe

_HERE = Path(__file__).parent
# these read a finished run or start one; nothing that is learnt passes through them
_ASIDE = {
    "cleaning",
    "commands",
    "harness",
    "__init__.py",
    "__main__.py",
    "cli.py",
    "codes.py",
    "errors.py",
    "evaluate.py",
    "fingerprint.py",
    "manifest.py",
    "progress.py",
}
_KINDS = {".py", ".txt", ".jinja"}


def fingerprint(recipe: Recipe) -> str:
    """Twelve hex digits; the same for the same recipe, code and texts on every machine."""
    digest = hashlib.sha256(recipe.model_dump_json().encode())
    for path in sorted(_HERE.rglob("*")):
        if path.suffix in _KINDS and not _ASIDE & set(path.relative_to(_HERE).parts):
            digest.update(path.relative_to(_HERE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
