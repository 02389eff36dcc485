"""Text to token ids and labels: documents learn on every token, chats on the assistant's words and end of turn alone."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from training.errors import BadData
from training.tokenizer import BOS, EOS, EOT, SPECIAL

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

IGNORED = -100
_ANSWERS = "<|start_header_id|>assistant<|end_header_id|>\n\n"


@dataclass(frozen=True, slots=True)
class Segment:
    """One document or chat: ids and labels of equal length; -100 where nothing is learnt."""

    ids: tuple[int, ...]
    labels: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.ids)


def document(tokenizer: PreTrainedTokenizerFast, text: str) -> Segment:
    """A document between its begin and end tokens, every token learnt."""
    ids = tuple(tokenizer.encode(BOS + text + EOS, add_special_tokens=False))
    return Segment(ids, ids)


def chat(tokenizer: PreTrainedTokenizerFast, messages: list[dict[str, str]]) -> Segment:
    """A chat as the template renders it.

    Each answer's tokens are encoded apart from what comes before, exactly as they will be generated: the ids of the prompt are a prefix of the ids
    trained on.

    Raises
    ------
    BadData
        For a chat without an answer, an answer that the template would change, or text with the template's own marks.
    """
    if any(mark in message["content"] for message in messages for mark in SPECIAL):
        raise BadData("a message holds one of the template's own marks")
    answers = [message["content"] for message in messages if message["role"] == "assistant"]
    if not answers:
        raise BadData("a chat without an answer teaches nothing")
    parts: list[str] = []
    asked, *rest = render(tokenizer, messages, generate=False).split(_ANSWERS)
    for place, (answer, piece) in enumerate(zip(answers, rest, strict=True)):
        learnt = answer + EOT
        if not answer or not piece.startswith(learnt):
            raise BadData(f"answer {place} is empty or has outer white space, which the template trims")
        parts += [asked + _ANSWERS, learnt]
        asked = piece[len(learnt) :]
    encoded = tokenizer(parts, add_special_tokens=False)["input_ids"]
    labels = [ids if place % 2 else [IGNORED] * len(ids) for place, ids in enumerate(encoded)]
    return Segment(tuple(chain(*encoded)), tuple(chain(*labels)))


def render(tokenizer: PreTrainedTokenizerFast, messages: list[dict[str, str]], *, generate: bool) -> str:
    """The chat as text, by the model's own template."""
    return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=generate))
