"""Control pairs: made so that careful readers agree on them, to see who reads.

Nobody is told which pairs are controls, and a pair tells nothing by its look: both answers are whole texts with the same Markdown signs.
"""

from __future__ import annotations

import random
import re
from enum import StrEnum

from arena.types import Side
from ranking.types import Outcome

FEWEST_WORDS = 8
"""Shorter answers are no material: their words in another order may say the same."""

_sentences = re.compile(r"[^.!?\n]+[.!?]*|\n+").findall
_plain = re.compile(r"[^\W_][\w,;:'-]*").fullmatch
_PREFERS = {Side.A: Outcome.A_BETTER, Side.B: Outcome.B_BETTER}


class ControlKind(StrEnum):
    """The same answer twice; an answer beside itself with its words in disorder; an answer of a candidate that is known to be bad."""

    IDENTICAL = "identical"
    CORRUPTED = "corrupted"
    KNOWN_BAD = "known_bad"


def is_failed(kind: ControlKind, worse: Side | None, winner: Outcome) -> bool:
    """Whether the winner is one that no careful reader names: either of two equal answers, or the worse one. A tie never fails."""
    if kind is ControlKind.IDENTICAL:
        return winner in _PREFERS.values()
    return worse is not None and winner is _PREFERS[worse]


def corrupted(text: str, seed: int) -> str | None:
    """The text with the words of each sentence in disorder; ``None`` where it is too short for that. The same seed gives the same text."""
    if len(set(text.split())) < FEWEST_WORDS:
        return None
    rng = random.Random(seed)  # noqa: S311  # a replayable disorder, no secret
    mixed = "".join(_disordered(part, rng) for part in _sentences(text))
    return mixed if mixed.split() != text.split() else None


def _disordered(sentence: str, rng: random.Random) -> str:
    """Words change places with words; signs, what is marked up, and the stop at the end stay where they are."""
    body = sentence.strip()
    end = body[len(body.rstrip(".!?")) :]
    words = body.rstrip(".!?").split(" ")
    places = [place for place, word in enumerate(words) if _plain(word)]
    for place, word in zip(places, rng.sample([words[each] for each in places], len(places)), strict=True):
        words[place] = word
    before = sentence[: len(sentence) - len(sentence.lstrip())]
    after = sentence[len(sentence.rstrip()) :]
    return before + " ".join(words) + end + after
