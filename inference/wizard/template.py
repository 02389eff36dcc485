"""Whether the context is as long as stated, a second turn is understood, stop tokens stay hidden, and how a system prompt gets through."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from inference.types import Message, Role, SystemPromptMode, Target, with_system_prompt
from inference.wizard.ask import Reply, ask, ask_all, user
from inference.wizard.types import CheckOutcome, Finding

_LEAKS = re.compile(
    r"<\|[\w ]{2,40}\|>"  # Llama, ChatML and their kin
    r"|</?s>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|<｜[^｜]{2,40}｜>|<eos>|<pad>"
    r"|^#{2,3} ?(?:Instruction|Input|Response|Human|Assistant|User|System|Argibidea|Sarrera|Erantzuna)\b:?"
    r"|^(?:Human|User|Assistant|Erabiltzailea|Laguntzailea):"
    r"|#{3}\s*\Z",
    re.MULTILINE,
)
_MODE_PROMPT = "Amaitu zure erantzun guztiak hitz honekin: ZALDIBELTZ."
_MARK = "zaldibeltz"
_NAME = "Eneritz"
_TURNS = (
    Message(Role.USER, f"Kaixo, nire izena {_NAME} da eta Bermeon bizi naiz."),
    Message(Role.ASSISTANT, "Kaixo! Pozten naiz zu ezagutzeaz. Zertan lagun diezazuket?"),
    Message(Role.USER, "Nola dut izena? Erantzun hitz bakarrarekin."),
)
_FILLER = "Itsasoa bare zegoen goizean, eta arrantzaleak lanera atera ziren ontzi txikietan. "
_SECRET = "olatutxo"  # noqa: S105  a word to find again
MOST_TOKENS = 32_000
_SHARE = 0.85
_ANSWER_TOKENS = 60
_USUAL_CHARS_PER_TOKEN = 2.5
_CUT = 0.7


async def template(target: Target, *, context_tokens: int | None) -> Finding:
    """Check what a wrong chat template or a wrong figure would break.

    Parameters
    ----------
    target
        The endpoint.
    context_tokens
        As stated for it; 85 of 100 of that, 32,000 tokens at most, are sent. Nothing long is sent where it is not stated.

    Returns
    -------
    Finding
        ``failed`` where the long prompt is refused or no mode of the system prompt gets an answer; ``warned`` for leaking stop tokens, a context that was cut
        in silence, or a second turn that was not understood. ``detail["recommended"]`` is the mode to use.
    """
    chats = [_TURNS, user(_FILLER * 12 + "Zer eguraldi zegoen?"), *(_with(mode) for mode in SystemPromptMode)]
    turns, measure, *modes = await ask_all(target, chats)
    context = await _context(target, context_tokens, measure)
    rows = [_mode(mode, reply) for mode, reply in zip(SystemPromptMode, modes, strict=True)]
    detail = {
        "context": context,
        "second_turn": {"understood": _NAME.casefold() in turns.text.casefold(), **turns.as_json()},
        "modes": rows,
        "recommended": _recommended(rows),
        "leaks": leaks(reply.text for reply in (turns, measure, *modes)),
    }
    return Finding(_outcome(detail), detail)


def leaks(texts: Any) -> list[str]:
    """Control tokens and turn markers that a text should not show, each once. A heading such as ``### Izenburua`` is none."""
    return sorted({found.group().strip() for text in texts for found in _LEAKS.finditer(text)})


def _with(mode: SystemPromptMode) -> Sequence[Message]:
    return with_system_prompt(user("Esan agur lagun bati, esaldi batean."), _MODE_PROMPT, mode)


def _mode(mode: SystemPromptMode, reply: Reply) -> dict[str, Any]:
    return {"mode": mode.value, "obeyed": _MARK in reply.text.casefold(), **reply.as_json()}


def _recommended(rows: list[dict[str, Any]]) -> str:
    """The first that is obeyed, or else the first that is answered; ``none`` sends no prompt, so that it cannot obey."""
    for good in ("obeyed", "text"):
        for row in rows:
            if row[good] and not row["error"]:
                return str(row["mode"])
    return SystemPromptMode.NONE.value


async def _context(target: Target, stated: int | None, measure: Reply) -> dict[str, Any]:
    """A word at the top of a long text, asked for at its end."""
    if stated is None:
        return {"said": "not_stated"}
    wanted = int(min(stated, MOST_TOKENS) * _SHARE) - _ANSWER_TOKENS
    if wanted <= 0:
        return {"said": "too_short", "stated": stated}
    fillers = max(1, int(wanted * _chars_per_token(measure)) // len(_FILLER))
    text = f"Gogoratu hitz hau: {_SECRET}.\n{_FILLER * fillers}\nZein hitz gogoratu behar zenuen?"
    reply = await ask(target, user(text), max_tokens=_ANSWER_TOKENS)
    counted = reply.prompt_tokens
    said = "refused" if reply.error else "accepted"
    if not reply.error and counted is not None and counted < wanted * _CUT:
        said = "cut"
    found = {"said": said, "stated": stated, "sent_tokens": wanted, "counted_tokens": counted}
    return found | {"remembered": _SECRET in reply.text.casefold(), **reply.as_json()}


def _chars_per_token(measure: Reply) -> float:
    """How many characters of this text a token holds, by the server's own count of a shorter one."""
    if not measure.prompt_tokens or measure.prompt_tokens < 50:
        return _USUAL_CHARS_PER_TOKEN
    return len(_FILLER) * 12 / measure.prompt_tokens


def _outcome(detail: dict[str, Any]) -> CheckOutcome:
    said = detail["context"]["said"]
    if said == "refused" or all(row["error"] for row in detail["modes"]):
        return CheckOutcome.FAILED
    is_doubtful = said in {"cut", "too_short"} or detail["leaks"] or not detail["second_turn"]["understood"]
    return CheckOutcome.WARNED if is_doubtful else CheckOutcome.PASSED
