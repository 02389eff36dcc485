"""A run's folder: where everything of it lies, and what says how it stands."""

from __future__ import annotations

import importlib.metadata
import json
import logging
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from training.config import Recipe
from training.errors import Interrupted
from training.metrics import MetricsFile
from training.parallel import World

HEARTBEAT_S = 10.0
log = logging.getLogger("training")


class RunFolder:
    """``RUNS/NAME``.

    Parameters
    ----------
    path
        The folder; made by :meth:`prepare`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoints = path / "checkpoints"
        self.metrics = MetricsFile(path / "metrics.jsonl")
        self.recipe_file = path / "recipe.yaml"

    @property
    def exists(self) -> bool:
        """Whether a run was prepared here."""
        return self.recipe_file.is_file()

    def prepare(self, recipe: Recipe) -> None:
        """Make the folder with the recipe as it was resolved; what was in it before goes."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.checkpoints.mkdir(parents=True)
        values = recipe.model_dump(mode="json")
        self.recipe_file.write_text(yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=160))

    def write_counts(self, counts: Mapping[str, Mapping[str, int]]) -> None:
        """``data.json``: rows and tokens by source, which the model card tells."""
        beside = self.path / "data.part"
        beside.write_text(json.dumps(counts, indent=2, ensure_ascii=False) + "\n")
        beside.replace(self.path / "data.json")

    def note(self, artefact: str, path: str) -> None:
        """Name in ``run.json`` what another command made of the run, relative to the folder; its heartbeat stays as it is."""
        file = self.path / "run.json"
        values = json.loads(file.read_text())
        values["artefacts"] = values.get("artefacts", {}) | {artefact: path}
        beside = file.with_suffix(".note")
        beside.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n")
        beside.replace(file)

    def recipe(self) -> Recipe:
        """The recipe that the run was prepared with."""
        return Recipe.model_validate(yaml.safe_load(self.recipe_file.read_text()))

    @contextmanager
    def logging(self, here: World) -> Iterator[None]:
        """What training logs goes to ``log.txt`` too, or ``log-RANK.txt`` of a later process, for the time inside."""
        handler = logging.FileHandler(self.path / ("log.txt" if here.is_first else f"log-{here.rank}.txt"))
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        level = log.level
        log.setLevel(logging.INFO)
        log.addHandler(handler)
        try:
            yield
        finally:
            log.removeHandler(handler)
            log.setLevel(level)
            handler.close()


class Record:
    """``run.json``, kept up to date by the run's first process; in the others it does nothing."""

    def __init__(self, folder: RunFolder, here: World) -> None:
        self._path, self._writes = folder.path / "run.json", here.is_first
        self._beat_at = 0.0
        self._values: dict[str, Any] = json.loads(self._path.read_text()) if self._path.exists() else {}

    def prepare(self, **values: Any) -> None:
        """Write all of it; a run that goes on keeps when it was made and first started."""
        first = {name: self._values.get(name) for name in ("created_at", "started_at")}
        values["artefacts"] = self._values.get("artefacts", {}) | values.get("artefacts", {})
        self.update(**values | {name: value for name, value in first.items() if value})

    @property
    def started_at(self) -> str:
        """When the run first started: now, where it did not yet."""
        return self._values.get("started_at") or now()

    def update(self, **changes: Any) -> None:
        """Write it with these changes, whole, and a heartbeat."""
        if not self._writes:
            return
        self._values |= {"heartbeat_at": now()} | changes
        beside = self._path.with_suffix(".part")
        beside.write_text(json.dumps(self._values, indent=2, ensure_ascii=False) + "\n")
        os.replace(beside, self._path)  # noqa: PTH105  # atomic
        self._beat_at = time.monotonic()

    def beat(self) -> None:
        """A heartbeat, where the last is ten seconds old."""
        if time.monotonic() - self._beat_at >= HEARTBEAT_S:
            self.update()

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Writes down how what is inside ends: ``done``, ``interrupted`` or ``failed``."""
        try:
            yield
        except Interrupted:
            self.update(status="interrupted", ended_at=now())
            raise
        except BaseException as error:
            self.update(status="failed", ended_at=now(), error=f"{type(error).__name__}: {error}")
            raise
        self.update(status="done", ended_at=now())


def now() -> str:
    """The time as the files of a run have it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def code_version() -> str:
    """The package's version."""
    return importlib.metadata.version("lehia")
