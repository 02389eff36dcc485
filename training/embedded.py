"""The small candidates that the demo serves: trained, measured and exported to where the site finds them, whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from training.config import Recipe
from training.data import chats
from training.evaluate import exact_share
from training.export.job import MANIFEST, Request, describe, export
from training.fingerprint import fingerprint
from training.manifest import Run, candidate_manifest
from training.memory import peak_mb
from training.parallel import world
from training.train import Finished, Options, train


def is_trained(recipe: Recipe, models: Path) -> bool:
    """Whether the candidate's folder is complete and has the weights of this recipe as it is now.

    What people read and how it is sampled may have changed since: that is put right in manifest and card, and nothing is trained for it.
    """
    folder = models / recipe.code
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        if manifest["revision"] != fingerprint(recipe):
            return False
        run, made = Run(**manifest["run"]), str(manifest["created_at"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
    wanted = candidate_manifest(recipe, run, model_folder=".", created_at=made)
    if json.loads(json.dumps(wanted)) != manifest:
        describe(recipe, run, folder, created_at=made)
    return True


def make(recipe: Recipe, models: Path, options: Options) -> Path:
    """Train a built-in recipe and export its run into the candidate's folder; returns that. It appears whole or not at all."""
    finished = train(recipe, options)
    final = models / recipe.code
    if world().is_first:
        export(Request(run=finished.folder.path, output=final, figures=_measured(finished)))
    return final


def _measured(finished: Finished) -> dict[str, Any]:
    """Figures that the run's folder does not say."""
    model: Any = finished.model
    model.eval()
    model.config.use_cache = True
    held = chats.basque()
    return {
        "loss": round(finished.progress.loss, 4),
        "heldout_exact": exact_share(model, finished.tokenizer, held.held_prompts),
        "heldout_template_exact": exact_share(model, finished.tokenizer, held.held_templates),
        "seconds": round(finished.seconds, 1),
        "peak_mb": peak_mb(),
    }
