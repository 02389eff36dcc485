"""The study's chat template: one file that models are served with, and a twin that renders the same bytes and marks what is learnt.

The version stands in the first line of both files and goes into every folder of tokens and every candidate's manifest. Whoever changes what is rendered
raises it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from training.errors import BadData

Messages = Sequence[dict[str, str]]

_FOLDER = Path(__file__).parent / "templates"
TEMPLATE = _FOLDER / "llama31.jinja"
TWIN = _FOLDER / "llama31.training.jinja"
BOS, EOS, EOT = "<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"
HEADER = ("<|start_header_id|>", "<|end_header_id|>")
SPECIAL = (BOS, EOS, *HEADER, EOT)
ROLES = frozenset({"system", "user", "assistant"})


def version_of(text: str) -> str:
    """The version that a template's first line names, such as ``llama31/1``.

    Raises
    ------
    BadData
        Where it names none.
    """
    found = re.match(r"\{#- ([a-z0-9]+/[0-9]+)\b", text)
    if found is None:
        raise BadData("a template's first line names its version: {#- name/1: ... -#}")
    return found[1]


VERSION = version_of(TEMPLATE.read_text())


@cache
def _twin() -> str:
    return TWIN.read_text()


def render_learnt(messages: Messages) -> tuple[str, list[tuple[int, int]]]:
    """A chat as the template renders it, and what of it is learnt: each answer with its end of turn.

    Parameters
    ----------
    messages
        Of ``role`` and ``content``, which are trimmed.

    Returns
    -------
    tuple
        The text, and ``(start, end)`` in characters, in order.

    Raises
    ------
    BadData
        With a reason that can be counted: a role that the template does not know, and would write into a header as it stands.
    """
    from transformers.utils.chat_template_utils import render_jinja_template

    if any(message["role"].strip() not in ROLES for message in messages):
        raise BadData("a message of an unknown role")
    rendered: Any = render_jinja_template(
        [list(messages)], chat_template=_twin(), return_assistant_tokens_mask=True, bos_token=BOS
    )
    [text], [spans] = rendered
    return text, spans
