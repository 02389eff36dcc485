"""One holder at a time of a data folder's services."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from arena.embedded.errors import LockTimeout
from inference.processes import locked


@contextmanager
def exclusive(path: Path, *, within_s: float = 60) -> Iterator[None]:
    """Hold the file's lock; the kernel frees it when the process ends. Raises ``LockTimeout``."""
    with ExitStack() as held:
        try:
            held.enter_context(locked(path, within_s=within_s))
        except TimeoutError:
            raise LockTimeout(
                f"another process has held {path} for {within_s:.0f} s; is a start stuck?"
            ) from None
        yield
