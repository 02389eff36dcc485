"""A candidate's manifest: what ``training`` writes and ``add_endpoint --manifest`` registers."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inference.errors import BadManifest
from inference.types import OutputsLicence

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

SCHEMA = Path(__file__).resolve().parent.parent / "docs" / "schemas" / "candidate.schema.json"


# A model given away under CC0 asks nothing of what it writes, and the community licence of Llama 3.1 goes with what its models write.
_FOLLOWS = {"CC0-1.0": OutputsLicence.CC0, "Llama 3.1 Community License": OutputsLicence.LLAMA}


@cache
def _validator() -> Draft202012Validator:
    # a second to load, where its formats are installed
    from jsonschema import Draft202012Validator, FormatChecker

    return Draft202012Validator(json.loads(SCHEMA.read_text()), format_checker=FormatChecker())


def check(manifest: object) -> dict[str, Any]:
    """The manifest if it follows ``docs/schemas/candidate.schema.json``.

    Raises
    ------
    BadManifest
        Every fault with the place where it is.
    """
    faults = sorted(_validator().iter_errors(manifest), key=lambda fault: list(map(str, fault.path)))
    if faults:
        raise BadManifest("; ".join(f"{fault.json_path}: {fault.message}" for fault in faults))
    assert isinstance(manifest, dict)  # noqa: S101  # the schema says so
    return manifest


def read(path: Path) -> dict[str, Any]:
    """The manifest in a file, its model folder made absolute. Raises :class:`BadManifest`."""
    try:
        manifest = check(json.loads(path.read_text()))
    except OSError as error:
        raise BadManifest(f"{path}: {error.strerror}") from None
    except json.JSONDecodeError as error:
        raise BadManifest(f"{path}: line {error.lineno} column {error.colno}: {error.msg}") from None
    except BadManifest as error:
        raise BadManifest(f"{path}: {error}") from None
    return {**manifest, "model_folder": str((path.parent / manifest["model_folder"]).resolve())}


def outputs_licence(manifest: dict[str, Any]) -> OutputsLicence:
    """The licence of the candidate's answers as its manifest gives it; left out, what follows from the model's own, and ``unknown`` from any other."""
    said = manifest.get("outputs_licence")
    return OutputsLicence(said) if said else _FOLLOWS.get(manifest["licence"], OutputsLicence.UNKNOWN)
