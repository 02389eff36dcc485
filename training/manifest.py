"""A run's record and the candidate's manifest, as ``docs/schemas`` has them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from training import codes
from training.config import Recipe
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
    """What a run was and what came of it."""

    recipe: str
    steps: int
    seed: int
    tokens: int
    parameters: int
    seconds: float
    peak_mb: int
    loss: float
    heldout_exact: float
    heldout_template_exact: float


def candidate_manifest(recipe: Recipe, run: Run, *, model_folder: str) -> dict[str, Any]:
    """The manifest that ``manage.py add_endpoint --manifest`` reads."""
    code = codes.parse(recipe.code)
    parts = [text for factor, text in _PARTS.items() if getattr(code, factor)]
    return {
        "schema": "lehia.candidate/1",
        "code": recipe.code,
        "name": recipe.name,
        "revision": fingerprint(recipe),
        "description": recipe.description,
        "backbone": f"hutsetik sortua, {run.parameters / 1e6:.2f} milioi parametro".replace(".", ","),
        "training_data": ", ".join(parts) + " (CC0-1.0)",
        "licence": recipe.licence,
        "maker": "Lehia",
        "model_folder": model_folder,
        "system_prompt_mode": "system",
        "chat_template": VERSION,
        "sampling": recipe.sampling.model_dump(mode="json"),
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "run": asdict(run),
    }
