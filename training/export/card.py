"""The model card: a README that people read, in Basque and English, under a front matter that the Hub reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

import yaml

from training import codes
from training.config import BUILT_IN, Recipe
from training.manifest import Run

_HERE = Path(__file__).parent
_HUB_LICENCES = {"CC0-1.0": "cc0-1.0", "Apache-2.0": "apache-2.0", "Llama 3.1 Community License": "llama3.1"}
_LLAMA = "Llama 3.1 Community License"
NOTICE = "Llama 3.1 is licensed under the Llama 3.1 Community License, Copyright © Meta Platforms, Inc. All Rights Reserved.\n"
_FIGURES = (("loss", "{:.4f}"), ("bits_per_byte", "{:.4f}"))


def is_llama(recipe: Recipe) -> bool:
    """Whether the weights derive from Llama 3.1, which asks for ``NOTICE`` and for 'Built with Llama'."""
    return _LLAMA in {recipe.licence, recipe.backbone.licence if recipe.backbone else None}


def card(recipe: Recipe, run: Run, *, adapter_rank: int | None) -> str:
    """The whole README.

    Parameters
    ----------
    adapter_rank
        Of a LoRA adapter; ``None`` for whole weights.
    """
    values = {
        "name": recipe.name,
        "description": recipe.description,
        "built_with": "**Built with Llama**\n\n" if is_llama(recipe) else "",
        "start": recipe.backbone.name if recipe.backbone else "—",
        "data": _data(recipe, run.data),
        "recipe": yaml.safe_dump(_learnt_by(recipe), sort_keys=False, allow_unicode=True, width=120).strip(),
        "code": recipe.code,
        "version": run.code_version or "—",
        "seed": run.seed,
        "steps": run.steps,
        "tokens": f"{run.tokens:,}".replace(",", " "),
        "evaluation": _evaluation(run),
        "licence": recipe.licence,
        "notice": f"\n\n> {NOTICE.strip()}" if is_llama(recipe) else "",
        "serve": _serve(recipe, adapter_rank),
    }
    return _front_matter(recipe, adapter_rank) + Template((_HERE / "card.md").read_text()).substitute(values)


def _front_matter(recipe: Recipe, adapter_rank: int | None) -> str:
    licence = _HUB_LICENCES.get(recipe.licence, "other")
    code = codes.parse(recipe.code)
    fields: dict[str, Any] = {
        "language": ["eu", "en"] if code.en else ["eu"],
        "license": licence,
        **({"license_name": recipe.licence} if licence == "other" else {}),
        "library_name": "transformers" if adapter_rank is None else "peft",
        "pipeline_tag": "text-generation",
        "tags": ["lehia", "basque", recipe.code] + (["lora"] if adapter_rank else []),
    }
    if recipe.backbone is not None:
        fields["base_model"] = recipe.backbone.name
        fields["base_model_relation"] = "finetune" if adapter_rank is None else "adapter"
    return f"---\n{yaml.safe_dump(fields, sort_keys=False, allow_unicode=True)}---\n"


def _data(recipe: Recipe, counts: Mapping[str, Mapping[str, Any]]) -> str:
    rows = ["| iturria / source | mota / kind | lerroak / rows | tokenak / tokens |", "|---|---|---:|---:|"]
    for name, source in recipe.sources.items():
        number = [str(counts.get(name, {}).get(key, "—")) for key in ("rows", "tokens")]
        shown = source.path.removeprefix(BUILT_IN).rpartition("/")[2]
        rows.append(f"| {name} (`{shown}`) | {source.kind} | {' | '.join(number)} |")
    if recipe.preferences is not None:
        number = [str(counts.get("preferences", {}).get(key, "—")) for key in ("rows", "tokens")]
        shown = recipe.preferences.path.rpartition("/")[2]
        rows.append(f"| botoak / votes (`{shown}`) | pairs | {' | '.join(number)} |")
    return "\n".join(rows)


def _learnt_by(recipe: Recipe) -> dict[str, Any]:
    """The recipe without what says where files lie."""
    values = recipe.model_dump(
        mode="json", exclude={"data": {"sources", "evaluation"}, "preferences": {"path"}}, exclude_none=True
    )
    return {key: value for key, value in values.items() if key not in {"name", "description", "backbone"}}


def _evaluation(run: Run) -> str:
    rows = [
        f"| {name} | {key} | {form.format(found[key])} |"
        for name, found in run.evaluation.items()
        for key, form in _FIGURES
        if key in found
    ]
    shares = {"held-out questions": run.heldout_exact, "held-out templates": run.heldout_template_exact}
    rows += [f"| {name} | exact | {share:.2f} |" for name, share in shares.items() if share is not None]
    if run.loss is not None:
        rows.append(f"| training | loss | {run.loss:.4f} |")
    return "\n".join(["| neurketa / measured on | zer / what | balioa / value |", "|---|---|---:|", *rows])


def _serve(recipe: Recipe, adapter_rank: int | None) -> str:
    if adapter_rank is None or recipe.backbone is None:
        return f"vllm serve FOLDER --served-model-name {recipe.code}"
    return (
        f"vllm serve {recipe.backbone.name} --enable-lora --max-lora-rank {adapter_rank} "
        f"--lora-modules {recipe.code}=FOLDER"
    )
