"""One export from start to end: find, read, write, compare, describe, and only then let it be seen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from training.config import Recipe
from training.errors import BadData, ExportFailed
from training.export import adapter, check, parts, record, skeleton, stream
from training.export.card import NOTICE, card, is_llama
from training.export.folder import whole
from training.export.parts import Part
from training.export.record import Point
from training.export.weights import open_weights
from training.manifest import Run, candidate_manifest
from training.run_folder import RunFolder

MANIFEST, CARD = "candidate.json", "README.md"
EQUAL = "equal"


@dataclass(frozen=True, slots=True)
class Request:
    """What to export.

    Parameters
    ----------
    run
        The run folder.
    checkpoint
        A step; the last whole one if left out.
    output
        ``export`` in the run folder, or ``merged`` there, if left out.
    merge
        Whole weights of a run that trained an adapter.
    base
        The backbone's folder, where it is not where the run found it.
    shard_bytes
        The most that one file holds.
    compare_logits
        False where the caller knows that there is no time for it.
    figures
        Of the run, over what its folder says, such as ``{"heldout_exact": 0.9}``: fields of :class:`~training.manifest.Run`.
    """

    run: Path
    checkpoint: int | None = None
    output: Path | None = None
    merge: bool = False
    base: Path | None = None
    shard_bytes: int = stream.SHARD_BYTES
    compare_logits: bool = True
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Parameters
    ----------
    checkpoint
        The step that it was taken at.
    hashes
        ``equal``: each tensor was read back and has the bytes that were read from the checkpoint.
    logits
        ``equal`` to the last bit on the probe; for merged weights how far they are apart; or why they were not compared.
    """

    folder: str
    checkpoint: int
    tensors: int
    parameters: int
    dtype: str
    hashes: str
    logits: str


def export(request: Request) -> Exported:
    """Consolidate a run's checkpoint into a folder that a server reads, with its manifest and card.

    One process, no process group; a shard of the output in memory at a time, and one model where logits are compared.

    Raises
    ------
    BadData, BadRecipe
        Where the run or its checkpoint is not whole; names the file or the tensor.
    ExportFailed
        Where what was written is not what was read. The output is then as it was before.
    """
    found = record.read(request.run)
    point = record.checkpoint(found, request.checkpoint)
    part = _part(point, request)
    output = request.output or found.folder / ("merged" if request.merge else "export")
    with whole(output) as scratch:
        logits = _fill(scratch, point, part, request)
        run = replace(record.figures(point, parameters=part.parameters), **request.figures)
        rank = None if part.adapter is None else int(str(part.adapter["r"]))
        describe(found.recipe, run, scratch, adapter_rank=rank)
    if output.absolute().is_relative_to(found.folder.absolute()):
        place = output.absolute().relative_to(found.folder.absolute())
        RunFolder(found.folder).note(output.name, (place / MANIFEST).as_posix())
    return Exported(
        folder=str(output),
        checkpoint=point.step,
        tensors=len(part.names),
        parameters=part.parameters,
        dtype=_types(part),
        hashes=EQUAL,
        logits=logits,
    )


def describe(
    recipe: Recipe,
    run: Run,
    folder: Path,
    *,
    adapter_rank: int | None = None,
    created_at: str | None = None,
) -> None:
    """Write the card, the notice that derived weights carry, and last the manifest into a model folder, each whole even where one is there."""
    manifest = candidate_manifest(
        recipe, run, model_folder=".", adapter_rank=adapter_rank, created_at=created_at
    )
    _put(folder / CARD, card(recipe, run, adapter_rank=adapter_rank))
    if is_llama(recipe):
        _put(folder / "NOTICE", NOTICE)
    _put(folder / MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")


def _put(path: Path, text: str) -> None:
    beside = path.with_name(f"{path.name}.part")
    beside.write_text(text)
    beside.replace(path)


def _part(point: Point, request: Request) -> Part:
    weights, place = open_weights(point.folder), parts.backbone(point, request.base)
    if point.record.recipe.method.lora is not None:
        return (parts.merged if request.merge else parts.adapter_alone)(point, weights, place)
    if request.merge:
        raise BadData(f"{request.run}: the run trained no adapter, so there is nothing to merge")
    return parts.whole_model(point, weights, place)


def _fill(folder: Path, point: Point, part: Part, request: Request) -> str:
    """All but manifest and card, read back; returns what is to be said of the logits."""
    recipe = point.record.recipe
    skeleton.write(
        folder,
        tokenizer=skeleton.read_tokenizer(point.folder),
        sampling=recipe.sampling,
        config=part.config,
        licences=part.backbone,
    )
    if part.adapter is not None:
        adapter.write_config(part.adapter, folder, backbone=recipe.backbone.name if recipe.backbone else "")
    hashes = stream.write(
        part.weights, part.names, folder, dtype=part.dtype, stem=part.stem, shard_bytes=request.shard_bytes
    )
    check.hashes(folder, hashes)
    return _logits(part, folder) if request.compare_logits else "not compared: it was not asked for"


def _logits(part: Part, folder: Path) -> str:
    if part.source is None:
        return "not compared: the backbone is not at hand; --base says where it is"
    if lack := check.lack_of_memory(part.model_bytes):
        return lack
    apart = check.difference(part.source, lambda: part.exported(folder))
    if apart > part.tolerance:
        raise ExportFailed(f"{folder.name}: logits are {apart:.1e} of their norm apart from the checkpoint's")
    return EQUAL if apart == 0 else f"{apart:.1e} of their norm apart, as rounding makes a sum"


def _types(part: Part) -> str:
    found = {part.dtype or part.weights.tensors[name].dtype for name in part.names}
    return ", ".join(sorted(str(each).removeprefix("torch.") for each in found))
