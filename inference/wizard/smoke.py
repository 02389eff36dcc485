"""Short Basque prompts of several kinds, their answers shown to whoever adds the endpoint."""

from __future__ import annotations

from typing import Any

from inference.language import language_of
from inference.types import Target
from inference.wizard.ask import Reply, ask_all, user
from inference.wizard.types import CheckOutcome, Finding

PROMPTS = {
    "greeting": "Kaixo! Zer moduz zaude gaur?",
    "knowledge": "Zein da Bizkaiko hiriburua? Esan esaldi batean.",
    "explanation": "Azaldu bi esalditan zergatik den gazia itsasoko ura.",
    "writing": "Idatzi hiru esaldiko mezu bat, lagun bat mendira gonbidatzeko.",
    "list": "Eman itzazu etxean energia aurrezteko hiru aholku labur.",
    "sums": "Mirenek hamabi sagar zituen eta bost oparitu ditu. Zenbat geratzen zaizkio? Azaldu.",
    "rewriting": "Esan beste era batera: «Bilera atzeratu egin da, euri asko ari duelako».",
}
"""By kind; written for this check."""

_FEWEST_LETTERS = 15  # below, nobody can tell a language
_SURE = 0.5


async def smoke(target: Target) -> Finding:
    """Ask all of :data:`PROMPTS`.

    Returns
    -------
    Finding
        ``failed`` where no answer came, ``warned`` where one is missing or most that are long enough are not Basque.
    """
    replies = await ask_all(target, [user(prompt) for prompt in PROMPTS.values()])
    answers = [_row(kind, reply) for kind, reply in zip(PROMPTS, replies, strict=True)]
    return Finding(_outcome(answers), {"answers": answers})


def _row(kind: str, reply: Reply) -> dict[str, Any]:
    language = language_of(reply.text, sure=_SURE, fewest=_FEWEST_LETTERS) or ""
    return {"kind": kind, "prompt": PROMPTS[kind], "language": language, **reply.as_json()}


def _outcome(answers: list[dict[str, Any]]) -> CheckOutcome:
    errors = sum(bool(row["error"]) for row in answers)
    told = [row["language"] for row in answers if row["language"]]
    if errors == len(answers):
        return CheckOutcome.FAILED
    if errors or told.count("eu") * 2 <= len(told):
        return CheckOutcome.WARNED
    return CheckOutcome.PASSED
