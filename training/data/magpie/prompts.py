"""What the backbone is given to write from: the study's template, broken off where the user's or the assistant's words begin."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from jinja2 import Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from training.data.asking.seeds import seed_of

BOS, EOT = "<|begin_of_text|>", "<|eot_id|>"
MARK = "<|"  # begins every mark of the template
_USER = "<|start_header_id|>user<|end_header_id|>\n\n"
_HERE = Path(__file__).parent
_TEMPLATE = _HERE.parents[1] / "templates" / "llama31.jinja"

# Ours: the paper translated English instructions. The system turn holds the user to Basque before the user has said a word.
_ASKED_IN_BASQUE = (
    "Elkarrizketa hau euskaraz da, hasieratik amaierara. Erabiltzaileak euskara batuan idazten du, eta laguntzaileak euskara batuan "
    "erantzuten dio. Gaia: {topic}. Erabiltzailearen lehen mezua: {kind}."
)
_ANSWERED_IN_BASQUE = "Euskara batuan eta zehatz erantzuten duen laguntzaile jakintsua zara."


class Variant(StrEnum):
    """Which instructions are sampled: the paper's, or Basque ones that were never English."""

    ENGLISH = "english"
    BASQUE = "basque"

    @property
    def language(self) -> str:
        return {Variant.ENGLISH: "en", Variant.BASQUE: "eu"}[self]


@dataclass(frozen=True, slots=True)
class Theme:
    """What the Basque variant's system turn speaks of: a topic and a kind of request."""

    topic: str
    kind: str

    def fields(self) -> dict[str, str]:
        return asdict(self)


def theme_of(seed: int, index: int) -> Theme:
    """The theme of a row, drawn by the run's seed and the row's number."""
    topics, kinds = _lines("gaiak.txt"), _lines("eskaerak.txt")
    return Theme(
        topics[seed_of(seed, "topic", index) % len(topics)], kinds[seed_of(seed, "kind", index) % len(kinds)]
    )


def pre_query(variant: Variant, theme: Theme | None, *, bos: bool) -> str:
    """The prompt after which the model writes a user's message.

    English: the head of a user's turn and nothing else, as in the paper. Basque: a system turn on *theme*, then that head.
    """
    if variant is Variant.ENGLISH or theme is None:
        return _begun(BOS + _USER, bos=bos)
    system = _ASKED_IN_BASQUE.format(topic=theme.topic, kind=theme.kind)
    return _begun(_rendered([{"role": "system", "content": system}], generate=False) + _USER, bos=bos)


def answering(variant: Variant, instruction: str, *, bos: bool) -> str:
    """The whole template up to the assistant's words; the Basque variant's system turn asks for Basque."""
    messages = [{"role": "user", "content": instruction}]
    if variant is Variant.BASQUE:
        messages.insert(0, {"role": "system", "content": _ANSWERED_IN_BASQUE})
    return _begun(_rendered(messages, generate=True), bos=bos)


def version() -> str:
    """Twelve hex digits that change with any text that rows are sampled from."""
    digest = hashlib.sha256((_ASKED_IN_BASQUE + _ANSWERED_IN_BASQUE).encode())
    for path in (_TEMPLATE, _HERE / "gaiak.txt", _HERE / "eskaerak.txt"):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _begun(text: str, *, bos: bool) -> str:
    return text if bos else text.removeprefix(BOS)


def _rendered(messages: list[dict[str, str]], *, generate: bool) -> str:
    return _template().render(messages=messages, bos_token=BOS, add_generation_prompt=generate)


@cache
def _template() -> Template:
    # as transformers sets it up for chat templates
    return ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True).from_string(
        _TEMPLATE.read_text()
    )


@cache
def _lines(name: str) -> list[str]:
    return (_HERE / name).read_text().splitlines()
