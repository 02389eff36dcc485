"""What all tests of a module look at, made once: each test's own changes are rolled back to it, and the module's end takes it away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db import transaction
from pytest_django.plugin import DjangoDbBlocker

_Made = TypeVar("_Made")


@contextmanager
def made_once(blocker: DjangoDbBlocker, make: Callable[[], _Made]) -> Iterator[_Made]:
    """For a fixture of a module's scope, which asks for ``django_db_setup`` too. Tests of it that commit cannot stand beside it."""
    with blocker.unblock():
        around = transaction.atomic()
        around.__enter__()
    try:
        with blocker.unblock():
            made = make()
        yield made
    finally:
        with blocker.unblock():
            transaction.set_rollback(True)
            around.__exit__(None, None, None)
