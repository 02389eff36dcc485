"""Codes in words: what was seen, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from inference.errors import StreamErrorCode
from inference.health.types import Detail, Hindrance, StepName
from inference.types import CircuitState, EndpointHealth, EndpointStatus, SystemPromptMode
from inference.wizard.types import CheckOutcome, CheckStep

Text = StrOrPromise

STATUSES: dict[EndpointStatus, Text] = {
    EndpointStatus.SHADOW: _("shadow: it is probed, and no volunteer sees it"),
    EndpointStatus.CANARY: _("canary: a small share of the battles"),
    EndpointStatus.ACTIVE: _("active: drawn into battles like the others"),
    EndpointStatus.DISABLED: _("disabled: switched off, and not probed"),
    EndpointStatus.RETIRED: _("retired: gone for good; its votes stay"),
}
MODES: dict[SystemPromptMode, Text] = {
    SystemPromptMode.SYSTEM: _("as the system message"),
    SystemPromptMode.USER_TURN: _("as a first user turn"),
    SystemPromptMode.NONE: _("not at all"),
}
HEALTHS: dict[EndpointHealth, Text] = {
    EndpointHealth.LIVE: _("live"),
    EndpointHealth.DEGRADED: _("degraded"),
    EndpointHealth.DOWN: _("down"),
    EndpointHealth.UNKNOWN: _("not known"),
}
CIRCUITS: dict[CircuitState, Text] = {
    CircuitState.CLOSED: _("closed"),
    CircuitState.OPEN: _("open"),
    CircuitState.HALF_OPEN: _("half open"),
}
OUTCOMES: dict[CheckOutcome, Text] = {
    CheckOutcome.PASSED: _("passed"),
    CheckOutcome.WARNED: _("passed with warnings"),
    CheckOutcome.FAILED: _("failed"),
    CheckOutcome.UNCHECKED: _("could not be checked"),
}
STEPS: dict[CheckStep, Text] = {
    CheckStep.SERVER: _("Server"),
    CheckStep.SMOKE: _("Basque prompts"),
    CheckStep.TEMPLATE: _("Context and template"),
    CheckStep.IDENTITY: _("Who are you?"),
}
PROBED: dict[StepName, Text] = {
    StepName.HEALTH: _("health path"),
    StepName.MODELS: _("list of models"),
    StepName.COMPLETION: _("one token of Basque"),
    StepName.METRICS: _("queue"),
}
KINDS: dict[str, Text] = {
    "greeting": _("greeting"),
    "knowledge": _("knowledge"),
    "explanation": _("explanation"),
    "writing": _("writing"),
    "list": _("list"),
    "sums": _("sums"),
    "rewriting": _("rewriting"),
}
CONTEXTS: dict[str, Text] = {
    "accepted": _("The long prompt was accepted."),
    "refused": _(
        "The long prompt was refused: state a shorter context, or start the server with a longer one."
    ),
    "cut": _(
        "The server counted far fewer tokens than were sent: it cuts long chats in silence. State a shorter context."
    ),
    "too_short": _("The context as stated leaves no room for an answer. State the real one."),
    "not_stated": _(
        "No context is stated, so that no long prompt was sent. State it in the endpoint's form and check again."
    ),
}


@dataclass(frozen=True, slots=True)
class Advice:
    """What a code means, and what to do."""

    meaning: Text
    action: Text


ADVICE: dict[str, Advice] = {
    StreamErrorCode.CONNECT: Advice(
        _("No connection to the server."),
        _("Check that it runs, that the port is right, and that no firewall is between."),
    ),
    StreamErrorCode.UNAUTHORIZED: Advice(
        _("The server refuses the key."), _("Set the key again, and see whether it was revoked.")
    ),
    StreamErrorCode.MODEL_NOT_FOUND: Advice(
        _("The server does not know this model or this path."),
        _("Compare the model's name with the server's list, and see whether the address ends in /v1."),
    ),
    StreamErrorCode.RATE_LIMITED: Advice(
        _("The server asks to slow down."), _("Lower the most answers at once, or ask the provider for more.")
    ),
    StreamErrorCode.SERVER: Advice(
        _("The server failed by itself."), _("Look into its log, and restart it if needed.")
    ),
    StreamErrorCode.BAD_REQUEST: Advice(
        _("The server refuses what was asked."),
        _(
            "Choose the right kind of server; a shorter context or another mode of the system prompt may help."
        ),
    ),
    StreamErrorCode.TIMEOUT: Advice(
        _("No answer in time."),
        _("See whether the model is still loading or the server is full, and try again."),
    ),
    StreamErrorCode.MALFORMED: Advice(
        _("The answer is not in a format that is known."),
        _("Choose the right kind of server, and check the address."),
    ),
    StreamErrorCode.EMPTY: Advice(
        _("The answer held no text."), _("Check the chat template and the stop strings of the candidate.")
    ),
    StreamErrorCode.QUEUE_FULL: Advice(
        _("The site's own queue is full."), _("Add a replica, or raise the most answers at once.")
    ),
    StreamErrorCode.CIRCUIT_OPEN: Advice(
        _("It failed too often and is left alone for a while."),
        _("It is tried again by itself; see the errors meanwhile."),
    ),
    StreamErrorCode.BUDGET: Advice(
        _("Its budget of today is spent."), _("Wait for midnight in UTC, or raise the budget.")
    ),
    Detail.REFUSED: Advice(
        _("The address may not be asked."), _("Name its host in LEHIA_MODEL_HOSTS, or change the address.")
    ),
    Detail.KEY_UNREADABLE: Advice(
        _("The stored key cannot be read."),
        _("Put the lost key back into LEHIA_FIELD_KEYS, or set the endpoint's key anew."),
    ),
    Detail.BUSY: Advice(
        _("More requests wait than we send at once."), _("Add a replica, or lower the most answers at once.")
    ),
    Detail.ERRORS: Advice(
        _("Over 30 of 100 requests failed in the last quarter of an hour."),
        _("See which errors they were, and the server's log."),
    ),
    Detail.SLOW: Advice(
        _("The first token takes three times as long as usual."), _("See what else the server is doing.")
    ),
    Hindrance.RESOLVER: Advice(
        _("The site itself could not find the server's name."),
        _("Check the name and the site's resolver; the endpoint is not to blame."),
    ),
    "status": Advice(
        _("The server answered with another status."), _("Nothing to do as long as the model answers.")
    ),
}
"""By the codes of probes and checks; all of them stand in ``docs/admin.md``."""


def advice(code: str) -> Advice | None:
    return ADVICE.get(code)
