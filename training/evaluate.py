"""How often a candidate answers a question that it was not trained on, word for word."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from training.data.chats import Exchange, system_prompt
from training.data.tokenise import render

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

_DAY = date(2027, 3, 19)  # no training chat has this year


def exact_share(
    model: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    exchanges: Sequence[Exchange],
    *,
    most: int = 100,
) -> float:
    """The share answered exactly, greedily, under the arena's system prompt of an unseen day.

    Parameters
    ----------
    model, tokenizer
        The candidate.
    exchanges
        Questions with their one right answer.
    most
        How many are asked, evenly spread over all.
    """
    most = min(most, len(exchanges))
    asked = [exchanges[place * len(exchanges) // most] for place in range(most)]
    right = sum(_answer(model, tokenizer, exchange.ask) == exchange.answer for exchange in asked)
    return right / len(asked)


def _answer(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, ask: str) -> str:
    import torch

    chat = [{"role": "system", "content": system_prompt(_DAY)}, {"role": "user", "content": ask}]
    prompt = tokenizer.encode(render(tokenizer, chat, generate=True), add_special_tokens=False)
    ids = torch.tensor([prompt])
    with torch.inference_mode():
        out = model.generate(  # type: ignore[misc]  # its annotation names a protocol that Llama does not declare
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=48,
            do_sample=False,
            temperature=None,
            top_p=None,
        )
    return str(tokenizer.decode(out[0, len(prompt) :], skip_special_tokens=True)).strip()
