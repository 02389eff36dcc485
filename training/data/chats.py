"""Chats from the families: what is trained on, and what is held out of every training set."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from training.data.families import BASQUE, ENGLISH, Family, capitalised

SYSTEM_PROMPT = "Euskaraz erantzuten duen laguntzaile erabilgarria zara. Gaur {date} da."
_HELD_SHARE = 0.12
_POLITE_SHARE = 0.3
_MOST_TURNS = 8
_MONTHS_OF = (
    *("urtarrilaren", "otsailaren", "martxoaren", "apirilaren", "maiatzaren", "ekainaren"),
    *("uztailaren", "abuztuaren", "irailaren", "urriaren", "azaroaren", "abenduaren"),
)
_FIRST_DAY = date(2026, 1, 1)

Chat = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer."""

    family: str
    ask: str
    answer: str


@dataclass(frozen=True, slots=True)
class Split:
    """Exchanges by what may be done with them. No held-out question is ever trained on."""

    train: tuple[Exchange, ...]
    held_prompts: tuple[Exchange, ...]
    held_templates: tuple[Exchange, ...]


def split(families: Iterable[Family]) -> Split:
    """All exchanges of the families.

    *held_prompts* are new combinations of a known way to ask and a known thing to ask about; *held_templates* are ways to ask that are not
    trained on at all. The choice is a hash of the question, the same on every machine.
    """
    train: list[Exchange] = []
    prompts: list[Exchange] = []
    templates: list[Exchange] = []
    for family in families:
        for slot in family.slots:
            for template in family.asks:
                held = len(family.slots) > 1 and _hashed(template.format(**slot)) < _HELD_SHARE
                plain, *polite = _phrasings(family, template, slot)
                (prompts if held else train).append(plain)
                if not held:
                    train += polite
            templates += [next(_phrasings(family, template, slot)) for template in family.held_asks]
    return Split(tuple(train), tuple(prompts), tuple(templates))


def basque() -> Split:
    return split(BASQUE)


def english() -> Split:
    return split(ENGLISH)


def system_prompt(day: date) -> str:
    """The arena's neutral prompt for a day of a year whose spoken number ends in a vowel."""
    article = "" if day.day in {11, 31} else "a"
    return SYSTEM_PROMPT.format(date=f"{day.year}ko {_MONTHS_OF[day.month - 1]} {day.day}{article}")


def chats(exchanges: tuple[Exchange, ...], rng: random.Random) -> Iterator[Chat]:
    """Chats without end, of one to eight exchanges, most under the system prompt of some day of 2026.

    Families are drawn by the square root of their size, so that a hundred sums do not crowd out one greeting.
    """
    families: dict[str, list[Exchange]] = {}
    for exchange in exchanges:
        families.setdefault(exchange.family, []).append(exchange)
    decks = {name: _Deck(members, rng) for name, members in families.items()}
    weights = [len(members) ** 0.5 for members in families.values()]
    while True:
        chat: Chat = []
        if rng.random() < 0.8:
            day = _FIRST_DAY + timedelta(days=rng.randrange(365))
            chat.append({"role": "system", "content": system_prompt(day)})
        for name in rng.choices(list(decks), weights=weights, k=rng.randint(1, _MOST_TURNS)):
            exchange = decks[name].draw()
            chat += [
                {"role": "user", "content": exchange.ask},
                {"role": "assistant", "content": exchange.answer},
            ]
        yield chat


class _Deck:
    """Exchanges of a family, each once a round."""

    def __init__(self, members: list[Exchange], rng: random.Random) -> None:
        self._members, self._rng = members, rng
        self._left: list[Exchange] = []

    def draw(self) -> Exchange:
        if not self._left:
            self._left = self._rng.sample(self._members, len(self._members))
        return self._left.pop()


def _phrasings(family: Family, template: str, slot: object) -> Iterator[Exchange]:
    filled = template.format(**slot)  # type: ignore[arg-type]  # a mapping of names
    answer = capitalised(family.answer.format(**slot))  # type: ignore[arg-type]  # a mapping of names
    yield Exchange(family.name, capitalised(filled), answer)
    if family.polite and _hashed(please_of(family) + filled) < _POLITE_SHARE:
        yield Exchange(family.name, please_of(family) + filled[:1].lower() + filled[1:], answer)


def please_of(family: Family) -> str:
    return "Please, " if family in ENGLISH else "Mesedez, "


def _hashed(text: str) -> float:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) / 2**32
