#!/usr/bin/env python
"""Django's command line. A command that needs the database finds it running: see :mod:`arena.embedded.commands`."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arena.settings")
    from django.core.management import execute_from_command_line

    from arena.embedded.commands import database_for

    with database_for(sys.argv):
        try:
            execute_from_command_line(sys.argv)
        finally:
            _note()


def _note() -> None:
    """In the audit log, also where it failed half-way; where nothing was set up, such as without a database, nothing was done."""
    from django.apps import apps

    if apps.ready:
        from arena.services.audit import note_command

        note_command(sys.argv)


if __name__ == "__main__":
    main()
