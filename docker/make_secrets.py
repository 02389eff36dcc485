"""``python3 docker/make_secrets.py FOLDER``: the secrets of a new site, a file each. What is there already stays as it is.

Needs nothing but Python. Whoever holds ``secret_key`` and ``field_keys`` can read what they guard, so keep the folder out of backups of the database.
"""

from __future__ import annotations

import argparse
import base64
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path


def made(*, database: str, jobs: str) -> Mapping[str, str]:
    """The files' names and what stands in them; *database* and *jobs* are where the two servers answer."""
    postgres, valkey = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    return {
        "secret_key": secrets.token_urlsafe(64),
        "field_keys": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "metrics_token": secrets.token_urlsafe(32),
        "grafana_password": secrets.token_urlsafe(16),
        "postgres_password": postgres,
        "database_url": f"postgresql://lehia:{postgres}@{database}/lehia",
        "redis_url": f"redis://:{valkey}@{jobs}/0",
        "valkey_acl": f"user default on >{valkey} ~* &* +@all",
        # e-mails are files that nobody gets until this is an smtp:// address: docs/settings.md
        "email_url": "file:///tmp/mail",
    }


def write(folder: Path, values: Mapping[str, str]) -> list[str]:
    """Returns the names of the files that were written: all of them or, where one is there, none, since some belong together."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    if any((folder / name).exists() for name in values):
        return []
    for name, value in values.items():
        file = folder / name
        file.touch(mode=0o600)
        file.write_text(f"{value}\n", encoding="utf-8")
        # containers read it as other users; on the host nobody passes the folder
        file.chmod(0o444)
    return sorted(values)


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the secrets of a new site.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--database", default="postgres:5432", metavar="HOST:PORT")
    parser.add_argument("--jobs", default="valkey:6379", metavar="HOST:PORT")
    asked = parser.parse_args()
    written = write(asked.folder, made(database=asked.database, jobs=asked.jobs))
    if not written:
        sys.stderr.write(f"{asked.folder} has secrets already; nothing was written\n")
        return 1
    sys.stdout.write("".join(f"{asked.folder / name}\n" for name in written))
    return 0


if __name__ == "__main__":
    sys.exit(main())
