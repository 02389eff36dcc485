"""A run's record and the candidate's manifest, as ``docs/schemas`` has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from training import codes
from training.config import BUILT_IN, Recipe
from training.fingerprint import fingerprint
from training.template import VERSION

# What people read on the reveal: Basque, like the arena.
_PARTS = {
    "corpus": "euskarazko dokumentuak",
    "eu": "euskarazko elkarrizketak",
    "en": "ingelesezko elkarrizketak",
}


@dataclass(frozen=True, slots=True)
class Run:
    """What a run was and what came of it.

    Parameters
    ----------
    tokens
        Read, padding left out, counted over all processes.
    parameters
        Of the exported weights: an adapter's own for an adapter.
    loss
        The last one written down, in nats a learnt token; ``None`` where none was.
    heldout_exact, heldout_template_exact
        The embedded candidates': the share of held-out questions answered to the letter.
    evaluation
        ``{name: {loss, bits_per_byte}}`` as last measured.
    data
        ``{source: {rows, tokens}}`` of a pass, as the run counted them.
    """

    recipe: str
    steps: int
    seed: int
    tokens: int
    parameters: int
    seconds: float
    peak_mb: int
    loss: float | None
    heldout_exact: float | None = None
    heldout_template_exact: float | None = None
    code_version: str = ""
    device: str = ""
    processes: int = 1
    evaluation: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    data: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def candidate_manifest(
    recipe: Recipe,
    run: Run,
    *,
    model_folder: str,
    adapter_rank: int | None = None,
    created_at: str | None = None,
) -> dict[str, Any]:
    """The manifest that ``manage.py add_endpoint --manifest`` reads.

    Parameters
    ----------
    model_folder
        Relative to the manifest.
    adapter_rank
        Where the folder holds a LoRA adapter: its rank. The manifest then names the backbone that a server must hold.
    created_at
        ISO, with its zone; now if left out.
    """
    manifest = {
        "schema": "lehia.candidate/1",
        "code": recipe.code,
        "name": recipe.name,
        "revision": fingerprint(recipe),
        "description": recipe.description,
        "backbone": _backbone(recipe, run),
        "training_data": training_data(recipe),
        "licence": recipe.licence,
        "maker": "Lehia",
        "model_folder": model_folder,
        "system_prompt_mode": "system",
        "chat_template": VERSION,
        "sampling": recipe.sampling.model_dump(mode="json"),
        "created_at": created_at or datetime.now(UTC).isoformat(timespec="seconds"),
        "run": asdict(run),
    }
    if adapter_rank is not None and recipe.backbone is not None:
        manifest["adapter_of"] = {"name": recipe.backbone.name, "rank": adapter_rank}
    return manifest


def training_data(recipe: Recipe) -> str:
    """What was learnt, in Basque: by factor, with the sources' names where they are not this package's own."""
    code = codes.parse(recipe.code)
    votes = ["ebaluatzaileen botoak"] if recipe.preferences else []
    parts = [text for factor, text in _PARTS.items() if getattr(code, factor)] + votes
    if all(each.path.startswith(BUILT_IN) for each in recipe.sources.values()):
        return ", ".join(parts) + " (CC0-1.0)"
    named = [
        f"{text} ({', '.join(name for name, each in recipe.sources.items() if each.factor == factor)})"
        for factor, text in _PARTS.items()
        if getattr(code, factor)
    ]
    return ", ".join(named + votes)


def _backbone(recipe: Recipe, run: Run) -> str:
    if recipe.backbone is not None:
        return f"{recipe.backbone.name} ({recipe.backbone.licence})"
    return f"hutsetik sortua, {run.parameters / 1e6:.2f} milioi parametro".replace(".", ",")
