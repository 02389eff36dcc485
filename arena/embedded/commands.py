"""The embedded cluster for a ``manage.py`` command."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.conf import settings

from arena.embedded import postgres
from arena.embedded.errors import EmbeddedError

# Commands that work without a database, and the demo, which has a supervisor of its own.
_WITHOUT = {"", "help", "version", "demo", "collectstatic", "findstatic", "check", "diffsettings", "startapp"}


@contextmanager
def database_for(argv: Sequence[str]) -> Iterator[None]:
    """Start the embedded cluster if the command needs it and nobody runs it; stop it afterwards if we started it."""
    name = argv[1] if len(argv) > 1 else ""
    helped = bool({"-h", "--help", "--version"} & set(argv[1:]))
    if name in _WITHOUT or helped or not settings.LEHIA_EMBEDDED_POSTGRES:
        yield
        return
    try:
        with postgres.running(settings.LEHIA_DATA):
            yield
    except EmbeddedError as error:
        print(error, file=sys.stderr)  # noqa: T201  # before Django's own output exists
        sys.exit(1)
