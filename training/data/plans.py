"""Plans on disk, mapped into memory: the processes of a machine share one, and a run that goes on finds its own."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import numpy as np

from training.data.pack import Plan

SCHEMA = "lehia.plan/1"
_PARTS = ("ends", "segments", "starts", "lengths")


def key_of(decides: object) -> str:
    """Sixteen hex digits for all that decides a plan, which must be JSON."""
    text = json.dumps({"schema": SCHEMA, "of": decides}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def kept(folder: Path, key: str, make: Callable[[], Plan]) -> Plan:
    """The plan of a key, made where it is not there yet.

    Two processes that make it at once make the same; the folder that is there first stays.
    """
    own = folder / key
    if not own.is_dir():
        _write(make(), own)
    ends, segments, starts, lengths = (np.load(own / f"{part}.npy", mmap_mode="r") for part in _PARTS)
    return Plan(ends, segments, starts, lengths)


def _write(plan: Plan, own: Path) -> None:
    beside = own.with_name(f".{own.name}-{uuid4().hex}")
    beside.mkdir(parents=True)  # not mkdtemp: others may read it, as far as the umask lets them
    try:
        for part in _PARTS:
            np.save(beside / f"{part}.npy", getattr(plan, part))
        beside.rename(own)
    except OSError:
        if not own.is_dir():
            raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
