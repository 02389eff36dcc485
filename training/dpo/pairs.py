"""Rows of ``{"prompt", "chosen", "rejected"}`` into token ids, the same tokens that supervised runs learn and servers are asked with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from training.data.rows import BadRows, Fields, inputs, messages_of, read_rows
from training.data.tokenise import Encoder
from training.errors import BadData

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

SOURCE = "preferences"
Messages = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Pair:
    """A prompt's ids, up to and with the header of the answer, and those of two answers, up to and with their end of turn."""

    prompt_ids: tuple[int, ...]
    chosen_ids: tuple[int, ...]
    rejected_ids: tuple[int, ...]


class PairRows:
    """Pairs as rows of a pass, in an order that the seed and the pass draw."""

    source_names = (SOURCE,)

    def __init__(self, pairs: Sequence[Pair], *, seed: int) -> None:
        self._pairs, self._seed = pairs, seed
        self.set_epoch(0)

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, index: int) -> dict[str, list[int]]:
        pair = self._pairs[self._order[index]]
        return {
            "prompt_ids": [*pair.prompt_ids],
            "chosen_ids": [*pair.chosen_ids],
            "rejected_ids": [*pair.rejected_ids],
        }

    def set_epoch(self, epoch: int) -> None:
        """Draw the order of a pass, counted from 0."""
        self._order = np.random.default_rng((self._seed, epoch)).permutation(len(self._pairs))

    def counts(self) -> dict[str, dict[str, int]]:
        """Pairs, and the tokens of both answers, each behind its prompt."""
        tokens = sum(2 * len(p.prompt_ids) + len(p.chosen_ids) + len(p.rejected_ids) for p in self._pairs)
        return {SOURCE: {"rows": len(self._pairs), "tokens": tokens}}


def read_pairs(
    paths: Sequence[Path], tokenizer: PreTrainedTokenizerFast, *, longest: int, bad: BadRows
) -> list[Pair]:
    """All pairs of the files, in their order.

    Parameters
    ----------
    paths
        Files or folders that :func:`training.data.rows.inputs` takes.
    longest
        Tokens of a prompt with either answer; longer pairs are left out and counted, since a cut answer is none.
    bad
        Takes up rows that are not used, by reason.

    Raises
    ------
    BadData
        Where a file cannot be read, or no pair is left; the text then tells why.
    """
    pairs: list[Pair] = []
    encoder = Encoder.of(tokenizer)
    for path in inputs(list(paths)):
        for place, fields in read_rows(path, bad):
            try:
                pairs.append(pair_of(fields, encoder, longest=longest))
            except BadData as error:
                bad.add(place, str(error))
    if not pairs:
        raise BadData(f"{', '.join(map(str, paths))}: no pair to learn from; {bad.report()['reasons']}")
    return pairs


def pair_of(fields: Fields, encoder: Encoder, *, longest: int) -> Pair:
    """One row. Raises :class:`BadData` with a reason that can be counted."""
    prompt, chosen, rejected = (_messages(fields, name) for name in ("prompt", "chosen", "rejected"))
    if prompt[-1]["role"] != "user":
        raise BadData("a prompt that does not end with the user")
    if [each["role"] for each in (*chosen, *rejected)] != ["assistant", "assistant"]:
        raise BadData("an answer that is not one message of the assistant")
    if chosen == rejected:
        raise BadData("two answers that are the same")
    asked, better = _split(encoder, [*prompt, *chosen])
    _, worse = _split(encoder, [*prompt, *rejected])
    if len(asked) + max(len(better), len(worse)) > longest:
        raise BadData("longer than a row")
    return Pair(asked, better, worse)


def _messages(fields: Fields, name: str) -> Messages:
    if not isinstance(fields.get(name), list):
        raise BadData(f"no {name}")
    # the template trims messages, so that outer white space is no part of what was answered
    found = messages_of({"messages": fields[name]})
    return [{"role": each["role"], "content": each["content"].strip()} for each in found]


def _split(encoder: Encoder, messages: Messages) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """A chat's ids before its last answer, and that answer's."""
    segment = encoder.chat(messages)
    cut = segment.learnt[-1][0]
    return tuple(segment.ids[:cut]), tuple(segment.ids[cut:])
