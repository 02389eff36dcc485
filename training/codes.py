"""Recipe codes: ``{family}_{corpus}{eu}{en}``, the study's factors as three digits."""

from __future__ import annotations

import re
from dataclasses import dataclass

from training.errors import BadRecipe

_CODE = re.compile(r"(?P<family>[a-z]+)_(?P<corpus>[01])(?P<eu>[01])(?P<en>[01])")


@dataclass(frozen=True, slots=True)
class Code:
    """What a candidate was trained on: Basque documents, Basque chats, English chats."""

    family: str
    corpus: bool
    eu: bool
    en: bool

    def __str__(self) -> str:
        return f"{self.family}_{self.corpus:d}{self.eu:d}{self.en:d}"


def parse(text: str) -> Code:
    """The code in ``txiki_110``. Raises :class:`~training.errors.BadRecipe` for anything else."""
    found = _CODE.fullmatch(text)
    if found is None:
        raise BadRecipe(f"{text!r} is not a code such as txiki_110")
    return Code(found["family"], *(found[factor] == "1" for factor in ("corpus", "eu", "en")))
