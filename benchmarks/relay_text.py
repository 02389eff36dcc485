"""Answers for the relay's benchmark: Basque-like prose in Markdown, a word a token.

Every token holds exactly one ``k``, which no tag and no key of a frame does: who counts the k's of a frame knows which tokens it shows, whatever
the relay made of the text. The first token of a stream is its number, so that its sending times can be found.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice

MARK = "k"
WORDS = tuple(
    """
    ak ek ko ka ki ik uk eko ako iko oker alki elkar eskua eskola euskara euskal ikasi ikusi ekarri jakin jakina jokoa kalea kanpo kantua karta katua
    kirola kopurua leku lekua lekuan makila maskor mendiak mikel moko musika neska nork oinak okela oskol pakea paketea pixka sukalde sukaldea
    tokia txakur txiki txikia ukan urak urtek zakur zuek zerk haiek herriak etxeak ibaiak itsasok izarrak lagunak liburuak haurrak gauzak garaik
    egunak aldiak arrazoiak artikulu baserriak bideak bizikide denak denborako ederrak emaitzek erabakia erabilak gehienek gutxik hauek horiek hizkuntza
    hiztunek idazleek ikerlan irakurle irakasle iturriak jendeak langileek mailak modukoa naturak ondokoa partaidek politika produktu sailak taldeak
    testuak unibertsoko urteek xehetasunik zatiak zenbakia zientziak
    """.split()  # noqa: SIM905  # a list of so many literals is hard to read
)


def answer(seed: int, tokens: int) -> list[str]:
    """The first *tokens* tokens of an endless text; the same seed writes the same text."""
    return list(islice(_text(random.Random(seed)), tokens))


_MARKERS = {"": 6, "**": 2, "*": 1, "`": 1}
"""What a sentence holds a stretch of, with weights."""


def _text(rng: random.Random) -> Iterator[str]:
    yield from _paragraph(rng)
    while True:
        (block,) = rng.choices([*_BLOCKS], [*_BLOCKS.values()])
        first, *rest = block(rng)
        yield "\n\n" + first.lstrip(" ")
        yield from rest


def _paragraph(rng: random.Random) -> Iterator[str]:
    for _ in range(rng.randint(3, 6)):
        yield from _sentence(rng)


def _sentence(rng: random.Random) -> Iterator[str]:
    """Eight to fourteen words, a stretch of them in bold, in italics or as code now and then."""
    words = rng.choices(WORDS, k=rng.randint(8, 14))
    if not words[0].startswith(MARK):
        words[0] = words[0].capitalize()
    words[-1] += "."
    (marker,) = rng.choices([*_MARKERS], [*_MARKERS.values()])
    if marker:
        begin = rng.randint(1, len(words) - 4)
        end = begin + rng.randint(0, 2)
        words[begin] = marker + words[begin]
        words[end] += marker
    for word in words:
        yield " " + word


def _heading(rng: random.Random) -> Iterator[str]:
    first, *rest = rng.choices(WORDS, k=rng.randint(2, 5))
    yield f"## {first}"
    for word in rest:
        yield f" {word}"


def _listing(rng: random.Random) -> Iterator[str]:
    numbered = rng.random() < 0.5
    for place in range(1, rng.randint(3, 6)):
        first, *rest = _sentence(rng)
        bullet = f"{place}." if numbered else "-"
        yield ("" if place == 1 else "\n") + bullet + first
        yield from rest


def _code(rng: random.Random) -> Iterator[str]:
    words = rng.choices(WORDS, k=rng.randint(8, 16))
    yield f"```\n{words[0]}("
    for place, word in enumerate(words[1:-1]):
        yield f"{word})\n" if place % 3 == 2 else f"{word}, "
    yield f"{words[-1]})\n```"


def _table(rng: random.Random) -> Iterator[str]:
    """Two columns, a head and a few rows; the line of dashes comes with the head's last word."""
    left, right, *cells = rng.choices(WORDS, k=2 * rng.randint(3, 6))
    yield f"| {left} |"
    yield f" {right} |\n|---|---|"
    for place, cell in enumerate(cells):
        yield f" {cell} |" if place % 2 else f"\n| {cell} |"


_BLOCKS = {_paragraph: 8, _listing: 4, _heading: 2, _code: 1, _table: 1}
"""Kinds of blocks with weights; chats are mostly prose and lists."""
