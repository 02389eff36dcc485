"""A PostgreSQL of a benchmark's own, in a temporary folder or in one that stays."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path


@contextmanager
def own_database(kept: Path | None = None) -> Iterator[Path]:
    """Inside, Django is set up on it. Its folder goes with it, but for *kept*, where the next run finds what this one stored."""
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
    with nullcontext(str(kept)) if kept else tempfile.TemporaryDirectory(prefix="lehia-p-") as name:
        folder = Path(name).resolve()
        folder.chmod(0o711)
        os.environ |= {"LEHIA_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "arena.settings"}
        os.environ |= {"LEHIA_HOSTS": "testserver", "LEHIA_LOG_LEVEL": "WARNING"}
        import django

        from arena.embedded import postgres

        postgres.start(folder, durable=False)  # filling it would take twice as long
        try:
            django.setup()
            yield folder
        finally:
            postgres.stop(folder)


def run_all(statements: str, figures: Mapping[str, int]) -> None:
    """Each of the statements in turn, with the figures written into it, as definitions take no parameters; per cent signs are doubled."""
    from django.db import connection
    from django.db.backends.postgresql.psycopg_any import mogrify

    with connection.cursor() as cursor:
        for statement in statements.split(";\n"):
            if statement.strip():
                cursor.execute(mogrify(statement, figures, connection))
