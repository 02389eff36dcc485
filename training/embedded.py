"""The small candidates that the demo serves: trained, measured and put where the site finds them, whole or not at all."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.config import Recipe
from training.data import chats
from training.evaluate import exact_share
from training.fingerprint import fingerprint
from training.manifest import Run, candidate_manifest
from training.memory import peak_mb
from training.parallel import world
from training.tokenizer import EOS, EOT
from training.train import Finished, Options, train

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

MANIFEST = "candidate.json"
_OF_PEOPLE = ("name", "description", "licence", "sampling")


def is_trained(recipe: Recipe, models: Path) -> bool:
    """Whether the candidate's folder is complete and has the weights of this recipe as it is now; the manifest is written last.

    What people read and how it is sampled may have changed since: that is put right in the manifest, and nothing is trained for it.
    """
    path = models / recipe.code / MANIFEST
    try:
        manifest = json.loads(path.read_text())
    except (OSError, ValueError):
        return False
    if not isinstance(manifest, dict) or manifest.get("revision") != fingerprint(recipe):
        return False
    values = recipe.model_dump(mode="json")
    wanted = manifest | {key: values[key] for key in _OF_PEOPLE}
    if wanted != manifest:
        _write(wanted, path)
    return True


def make(recipe: Recipe, models: Path, options: Options) -> Path:
    """Train a built-in recipe and put the candidate into its folder; returns that.

    The folder appears whole or not at all: everything is written beside it and renamed.
    """
    finished = train(recipe, options)
    final = models / recipe.code
    if not world().is_first:
        return final
    models.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=models, prefix=f".{recipe.code}-") as scratch:
        folder = Path(scratch) / recipe.code
        save(finished.model, finished.tokenizer, folder)
        manifest = candidate_manifest(recipe, _measured(finished), model_folder=".")
        _write(manifest, folder / MANIFEST)
        if not is_trained(recipe, models):
            shutil.rmtree(final, ignore_errors=True)
            folder.rename(final)
    return final


def save(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """A folder that any server of Hugging Face models reads; sampling on, both end tokens known."""
    from transformers import GenerationConfig

    model.eval()
    model.config.use_cache = True
    model.generation_config = GenerationConfig(
        do_sample=True,
        temperature=0.9,
        top_p=0.95,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=[tokenizer.convert_tokens_to_ids(EOT), tokenizer.convert_tokens_to_ids(EOS)],
        pad_token_id=tokenizer.pad_token_id,
        use_cache=True,
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _measured(finished: Finished) -> Run:
    recipe, tokenizer = finished.recipe, finished.tokenizer
    model: Any = finished.model
    model.eval()
    model.config.use_cache = True
    held = chats.basque()
    return Run(
        recipe=recipe.code,
        steps=finished.progress.step,
        seed=recipe.schedule.seed,
        tokens=finished.progress.tokens_seen,
        parameters=model.num_parameters(),
        loss=round(finished.progress.loss, 4),
        heldout_exact=exact_share(model, tokenizer, held.held_prompts),
        heldout_template_exact=exact_share(model, tokenizer, held.held_templates),
        seconds=round(finished.seconds, 1),
        peak_mb=peak_mb(),
    )


def _write(manifest: dict[str, Any], path: Path) -> None:
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    beside.replace(path)
