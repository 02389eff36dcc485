"""Recipe codes: ``{family}_{corpus}{eu}{en}``, the study's factors as three digits."""

from __future__ import annotations

import re
from dataclasses import dataclass

from training.errors import BadRecipe

_CODE = re.compile(
    r"(?P<family>[a-z]+(?:_[0-2])?)_(?P<corpus>[01])(?P<eu>[01])(?P<en>[01])(?:_(?P<variant>[a-z0-9]+))?"
)

UNTRAINED = {
    "Llama-3.1-8B-Instruct": ("exp_0_001", "exp_2_001", "exp_2_000"),
    "Latxa-Llama-3.1-8B": ("exp_0_100", "exp_1_100", "exp_1_000"),
}
"""Published models that stand for codes nobody trained: a backbone as it is, or one to which its makers already gave what the digits name."""


@dataclass(frozen=True, slots=True)
class Code:
    """What a candidate was trained on: Basque documents, Basque chats, English chats.

    Parameters
    ----------
    family
        ``txiki``, or ``exp_0``, ``exp_1``, ``exp_2`` for the study's backbones: base English, base Basque, instructed English.
    variant
        What else is different, such as ``70b`` or ``lora``; empty for the plain run.
    """

    family: str
    corpus: bool
    eu: bool
    en: bool
    variant: str = ""

    def __str__(self) -> str:
        tail = f"_{self.variant}" if self.variant else ""
        return f"{self.family}_{self.corpus:d}{self.eu:d}{self.en:d}{tail}"

    @property
    def factors(self) -> dict[str, bool]:
        return {"corpus": self.corpus, "eu": self.eu, "en": self.en}


def parse(text: str) -> Code:
    """The code in ``txiki_110`` or ``exp_2_101_70b``. Raises :class:`~training.errors.BadRecipe` for anything else."""
    found = _CODE.fullmatch(text)
    if found is None:
        raise BadRecipe(f"{text!r} is not a code such as txiki_110 or exp_2_101_70b")
    corpus, eu, en = (found[factor] == "1" for factor in ("corpus", "eu", "en"))
    return Code(found["family"], corpus, eu, en, found["variant"] or "")


def untrained(code: Code) -> str | None:
    """The published model that a code stands for without any training, such as ``Llama-3.1-8B-Instruct`` for ``exp_0_001``; None for what was trained."""
    return next((model for model, codes in UNTRAINED.items() if str(code) in codes), None)


def is_code(text: str) -> bool:
    return _CODE.fullmatch(text) is not None
