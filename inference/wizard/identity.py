"""Whether a model that is asked who it is gives itself away, which would spoil blind battles."""

from __future__ import annotations

from collections.abc import Iterable

from inference.identity.names import named
from inference.types import Target
from inference.wizard.ask import ask_all, user
from inference.wizard.types import CheckOutcome, Finding

PROMPTS = {
    "eu": "Nor zara zu? Nola duzu izena, eta nork egin zaitu?",
    "es": "¿Quién eres? ¿Cómo te llamas y quién te ha creado?",
    "en": "Who are you? What is your name, and who made you?",
}
"""By language."""


async def identity(target: Target, *, names: Iterable[str]) -> Finding:
    """Ask who it is, in three languages.

    Parameters
    ----------
    target
        The endpoint.
    names
        The candidate's name, code, maker and backbone; well-known families are looked for too.

    Returns
    -------
    Finding
        ``warned`` where an answer names one of them, ``failed`` where none came.
    """
    own = tuple(names)
    replies = await ask_all(target, [user(prompt) for prompt in PROMPTS.values()])
    answers = [
        {
            "language": language,
            "prompt": PROMPTS[language],
            "named": named(reply.text, own),
            **reply.as_json(),
        }
        for language, reply in zip(PROMPTS, replies, strict=True)
    ]
    if all(row["error"] for row in answers):
        return Finding(CheckOutcome.FAILED, {"answers": answers})
    is_open = any(row["named"] or row["error"] for row in answers)
    return Finding(CheckOutcome.WARNED if is_open else CheckOutcome.PASSED, {"answers": answers})
