"""From a run to a candidate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings

from arena.errors import NotExported
from arena.runs import folder
from inference import manifest, services
from inference.errors import BadManifest
from inference.models import ModelEndpoint
from inference.types import Provider

EXPORT = "export/candidate.json"


def export_of(name: str) -> dict[str, Any]:
    """The manifest of a run's export, its model folder made absolute.

    Raises ``NotExported`` where there is no such run or it has no export, ``BadManifest`` where that does not hold together or leads out of the run.
    """
    run = folder.find(settings.LEHIA_RUNS, name)
    path = run.file(EXPORT) if run else None
    if run is None or path is None:
        raise NotExported(name)
    found = manifest.read(path)
    if not Path(found["model_folder"]).is_relative_to(run.folder.resolve()):
        raise BadManifest(f"{EXPORT}: $.model_folder leads out of the run")
    return found


def register_run(*, name: str, base_url: str, provider: Provider) -> ModelEndpoint:
    """Register a run's export as a candidate that a server at *base_url* holds; repeating it changes nothing.

    Raises ``NotExported``, ``BadManifest``, ``EndpointNotAllowed``.
    """
    return services.register_candidate(manifest=export_of(name), base_url=base_url, provider=provider)
