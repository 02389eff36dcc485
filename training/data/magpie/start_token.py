"""Whether a server puts a start token of its own before a prompt: with ours there would be two, which no training has seen."""

from __future__ import annotations

from enum import StrEnum

from training.data.asking.endpoint import Client, Sampling
from training.data.magpie.prompts import BOS
from training.errors import BadData

_ONE = Sampling(temperature=0.0, top_p=1.0, max_tokens=1)


class StartToken(StrEnum):
    """Who writes the start token."""

    AUTO = "auto"
    OURS = "ours"
    SERVERS = "servers"


async def writes_ours(client: Client, told: StartToken) -> bool:
    """Whether prompts begin with the start token.

    Asked for a continuation of the start token alone, a server that adds one counts two tokens in the prompt (vLLM and transformers with
    Llama's tokenizer), one that does not counts one (llama.cpp, and tokenizers without that habit).

    Raises
    ------
    BadData
        If that is to be found out and the server does not tell the number, or takes the mark for plain text.
    """
    if told is not StartToken.AUTO:
        return told is StartToken.OURS
    reply = await client.complete(BOS, _ONE, seed=0)
    if reply.prompt_tokens is None:
        raise BadData("the server counts no prompt tokens: say with --start-token who writes the start token")
    if reply.prompt_tokens not in {1, 2}:
        raise BadData(
            f"the server reads {BOS} as {reply.prompt_tokens} tokens: its model has no such mark, or it does not read marks in prompts"
        )
    return reply.prompt_tokens == 1
