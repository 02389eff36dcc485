"""Text to token ids and labels: documents learn on every token, chats on the assistant's words and end of turn alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from training.errors import BadData
from training.tokenizer import BOS, EOS, EOT

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

IGNORED = -100


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
        For a chat without an answer, or an answer that the template would change.
    """
    ids: list[int] = []
    labels: list[int] = []
    done = 0
    for index, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        if message["content"] != message["content"].strip() or not message["content"]:
            raise BadData(f"answer {index} is empty or has outer white space, which the template trims")
        prompt = render(tokenizer, messages[:index], generate=True)
        asked = tokenizer.encode(prompt[done:], add_special_tokens=False)
        answered = tokenizer.encode(message["content"] + EOT, add_special_tokens=False)
        ids += asked + answered
        labels += [IGNORED] * len(asked) + answered
        done = len(prompt) + len(message["content"]) + len(EOT)
    if not ids:
        raise BadData("a chat without an answer teaches nothing")
    return Segment(tuple(ids), tuple(labels))


def render(tokenizer: PreTrainedTokenizerFast, messages: list[dict[str, str]], *, generate: bool) -> str:
    """The chat as text, by the model's own template."""
    return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=generate))
