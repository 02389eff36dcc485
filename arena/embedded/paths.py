"""Where the embedded services live under the data folder."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

# A Unix socket's address holds 107 bytes; PostgreSQL's file name takes 21 of them.
_LONGEST_SOCKET_FOLDER = 80


def socket_folder(data: Path) -> Path:
    """The folder of the sockets: under the data folder, or a short stand-in when that path is too long."""
    inside = data / "run"
    if len(os.fsencode(inside)) <= _LONGEST_SOCKET_FOLDER:
        return inside
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"lehia-{os.getuid()}-{digest}"


def postgres_data(data: Path) -> Path:
    return data / "postgres"


def valkey_data(data: Path) -> Path:
    return data / "valkey"


def models(data: Path) -> Path:
    return data / "models"


def embedded_database(data: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "lehia",
        "USER": "lehia",
        "HOST": str(socket_folder(data)),
        "OPTIONS": {},
    }


def embedded_valkey_url(data: Path) -> str:
    return f"unix://{socket_folder(data)}/valkey.sock"
