"""Text to token ids and what is learnt of them: of documents every token, of chats the answers and their ends of turn alone."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from training.errors import BadData, BadRecipe
from training.template import BOS, EOS, SPECIAL, Messages, render_learnt

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

IGNORED = -100
_ANSWERS = ("Bai", "bai", "1", "«", "-", "ñ", "漢", "🌿", "(")


@dataclass(frozen=True, slots=True)
class Segment:
    """One document or chat.

    Parameters
    ----------
    ids
        Token ids.
    learnt
        ``(start, end)`` of the runs of tokens that are learnt, in order.
    """

    ids: list[int]
    learnt: list[tuple[int, int]]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def labels(self) -> list[int]:
        """The ids that are learnt, :data:`IGNORED` elsewhere."""
        labels = [IGNORED] * len(self.ids)
        for start, end in self.learnt:
            labels[start:end] = self.ids[start:end]
        return labels


class Encoder:
    """Encodes documents and chats with a tokenizer of the Llama 3 family.

    Special tokens come from the template alone. A document's text that spells one is encoded as plain text. A chat that spells one is refused: a server
    renders it as text and would read a turn's end or a header there, so that what is learnt would not be what is asked.

    Parameters
    ----------
    tokenizer
        ``PreTrainedTokenizerFast.backend_tokenizer``; it is copied.

    Raises
    ------
    BadRecipe
        Where it lacks a token of the template, or cuts text so that an answer's ids depend on the header before it.

    Attributes
    ----------
    definition, sha256
        The tokenizer as JSON, and its hash.
    vocabulary
        Tokens in all.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        from tokenizers import Tokenizer

        ids = {name: each for name in SPECIAL if (each := tokenizer.token_to_id(name)) is not None}
        if len(ids) < len(SPECIAL):
            missing = ", ".join(name for name in SPECIAL if name not in ids)
            raise BadRecipe(f"the tokenizer lacks {missing}, which the chat template needs")
        self.definition = _bare(tokenizer.to_str())
        self.sha256 = hashlib.sha256(self.definition.encode()).hexdigest()
        self.vocabulary = tokenizer.get_vocab_size()
        self._tokenizer = Tokenizer.from_str(self.definition)
        self._plain = Tokenizer.from_str(self.definition)
        self._plain.encode_special_tokens = True
        self._begin, self._end = ids[BOS], ids[EOS]
        self._check()

    def _check(self) -> None:
        """A server encodes a chat as one text, this class piece by piece; both must see the same ids."""
        talk = [
            {"role": "user", "content": "?"},
            *({"role": "assistant", "content": each} for each in _ANSWERS),
        ]
        text, _ = render_learnt(talk)
        if self.chat(talk).ids != self._tokenizer.encode(text, add_special_tokens=False).ids:
            raise BadRecipe(
                "the tokenizer joins a header's line ends with the answer; it takes one that splits like Llama 3's"
            )

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerFast) -> Encoder:
        """From transformers' tokenizer.

        Raises
        ------
        BadRecipe
            For one without a fast backend.
        """
        backend = getattr(tokenizer, "backend_tokenizer", None)
        if backend is None:
            raise BadRecipe("rows are tokenised with fast tokenizers alone, and this one has no backend")
        return cls(backend)

    @cached_property
    def _marks(self) -> re.Pattern[str]:
        added = self._tokenizer.get_added_tokens_decoder().values()
        return re.compile("|".join(re.escape(each.content) for each in added if each.special))

    def document(self, text: str) -> Segment:
        """A document between its begin and end tokens."""
        return self.documents([text])[0]

    def chat(self, messages: Messages) -> Segment:
        """A chat as the template renders it. Raises :class:`BadData` as :meth:`pieces` does."""
        return self.chats([self.pieces(messages)])[0]

    def documents(self, texts: Sequence[str]) -> list[Segment]:
        """Documents, each between its begin and end tokens, every token learnt."""
        found = self._plain.encode_batch_fast(list(texts), add_special_tokens=False)
        ids = [[self._begin, *each.ids, self._end] for each in found]
        return [Segment(each, [(0, len(each))]) for each in ids]

    def pieces(self, messages: Messages) -> list[str]:
        """A chat's text cut where learning begins and ends: what is learnt stands at odd places.

        Raises
        ------
        BadData
            With a reason that can be counted: no answer, an empty one, one of the tokenizer's marks in a text, an unknown role.
        """
        if any(self._marks.search(message["content"]) for message in messages):
            raise BadData("a message holds one of the tokenizer's marks")
        answers = [each["content"].strip() for each in messages if each["role"].strip() == "assistant"]
        if not answers:
            raise BadData("a chat without an answer")
        if not all(answers):
            raise BadData("an empty answer")
        text, learnt = render_learnt(messages)
        edges = [0, *(place for span in learnt for place in span), len(text)]
        return [text[start:end] for start, end in pairwise(edges)]

    def chats(self, pieces: Sequence[Sequence[str]]) -> list[Segment]:
        """Chats out of :meth:`pieces`.

        Pieces are encoded apart, answers exactly as they will be generated: every prompt's ids are a prefix of the ids trained on.
        """
        flat = [piece for chat in pieces for piece in chat]
        encoded = iter(self._tokenizer.encode_batch_fast(flat, add_special_tokens=False))
        return [_joined([next(encoded).ids for _ in chat]) for chat in pieces]


def _bare(definition: str) -> str:
    """A tokenizer without what a caller may have left on it, and without the begin token that Llama 3's adds to whatever it encodes."""
    values = json.loads(definition)
    values |= {"truncation": None, "padding": None, "post_processor": None}
    return json.dumps(values, ensure_ascii=False)


def _joined(parts: list[list[int]]) -> Segment:
    ids: list[int] = []
    learnt = []
    for place, part in enumerate(parts):
        if place % 2:
            learnt.append((len(ids), len(ids) + len(part)))
        ids += part
    return Segment(ids, learnt)


def checked(text: str) -> str:
    """The text, if it can be written as UTF-8: JSON can spell half a character.

    Raises
    ------
    BadData
        With a reason that can be counted.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadData("text that is not Unicode") from None
    return text


def render(tokenizer: PreTrainedTokenizerFast, messages: Messages, *, generate: bool) -> str:
    """The chat as text, by the model's own template."""
    return str(tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=generate))
