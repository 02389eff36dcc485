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
_AT_ONCE = 25  # a small model spends its time between the matrices, not in them


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
    asked.sort(key=lambda exchange: len(exchange.answer))  # those asked together end together
    right = 0
    for start in range(0, most, _AT_ONCE):
        batch = asked[start : start + _AT_ONCE]
        answers = _answers(model, tokenizer, [exchange.ask for exchange in batch])
        right += sum(answer == exchange.answer for answer, exchange in zip(answers, batch, strict=True))
    return right / most


def _answers(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, asks: Sequence[str]) -> list[str]:
    """Answers to several questions at once; shorter prompts are padded on the left and do not see it."""
    import torch

    day = {"role": "system", "content": system_prompt(_DAY)}
    chats = [[day, {"role": "user", "content": ask}] for ask in asks]
    prompts = [
        tokenizer.encode(render(tokenizer, chat, generate=True), add_special_tokens=False) for chat in chats
    ]
    length = max(map(len, prompts))
    ids = torch.full((len(prompts), length), tokenizer.pad_token_id)
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        ids[row, length - len(prompt) :] = torch.tensor(prompt)
        mask[row, length - len(prompt) :] = 1
    ids, mask = ids.to(model.device), mask.to(model.device)
    with torch.inference_mode():
        out = model.generate(  # type: ignore[misc]  # its annotation names a protocol that Llama does not declare
            ids, attention_mask=mask, max_new_tokens=48, do_sample=False, temperature=None, top_p=None
        )
    return [str(text).strip() for text in tokenizer.batch_decode(out[:, length:], skip_special_tokens=True)]
