"""Stored findings of the checks, in words for their pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inference.admin.pages import probed_steps
from inference.admin.wording import CONTEXTS, HEALTHS, KINDS, MODES, OUTCOMES, advice
from inference.models import EndpointCheck
from inference.types import EndpointHealth, SystemPromptMode
from inference.wizard.types import CheckOutcome, CheckStep


def shown(check: EndpointCheck) -> dict[str, Any]:
    """A check's outcome, and its parts as the template of its step wants them."""
    detail = check.detail
    said = detail.get("said") or detail.get("hindrance", "")
    common = {"outcome": OUTCOMES[CheckOutcome(check.outcome)], "code": check.outcome, "advice": advice(said)}
    is_whole = "answers" in detail or "modes" in detail or "steps" in detail
    return common | (_PARTS[CheckStep(check.step)](detail) if is_whole else {})


def _server(detail: dict[str, Any]) -> dict[str, Any]:
    return {
        "health": HEALTHS[EndpointHealth(detail["health"])],
        "steps": probed_steps(detail["steps"]),
        "load": detail.get("load"),
    }


def _smoke(detail: dict[str, Any]) -> dict[str, Any]:
    return {"answers": [_answer(row) | {"kind": KINDS[row["kind"]]} for row in detail["answers"]]}


def _identity(detail: dict[str, Any]) -> dict[str, Any]:
    return {"answers": [_answer(row) | {"kind": row["language"]} for row in detail["answers"]]}


def _template(detail: dict[str, Any]) -> dict[str, Any]:
    return {
        "context": detail["context"] | {"text_said": CONTEXTS[detail["context"]["said"]]},
        "context_advice": advice(detail["context"].get("error", "")),
        "second_turn": _answer(detail["second_turn"]),
        "modes": [_answer(row) | {"label": MODES[SystemPromptMode(row["mode"])]} for row in detail["modes"]],
        "recommended": MODES[SystemPromptMode(detail["recommended"])],
        "leaks": detail["leaks"],
    }


def _answer(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"advice": advice(row["error"])}


_PARTS: dict[CheckStep, Callable[[dict[str, Any]], dict[str, Any]]] = {
    CheckStep.SERVER: _server,
    CheckStep.SMOKE: _smoke,
    CheckStep.TEMPLATE: _template,
    CheckStep.IDENTITY: _identity,
}
