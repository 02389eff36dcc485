"""A folder that appears whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """A folder to fill; it takes *target*'s place when the block ends well, and is gone when it does not.

    What is written is on the disk before the name is: after a power cut, too, the folder is whole, the one before it, or not there. One that is there
    already is moved away and removed. Scratch lies beside the target under a name that starts with a dot.
    """
    target = target.absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as scratch:
        made = Path(scratch) / target.name
        made.mkdir()
        yield made
        for path in (*made.rglob("*"), made):
            _to_disk(path)
        if target.exists():
            target.rename(Path(scratch) / "before")
        made.rename(target)
        _to_disk(target.parent)


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
