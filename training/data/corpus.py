"""The small Basque corpus: written paragraphs, and plain statements of the facts."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from training.data import facts
from training.data.families import capitalised

PROSE = Path(__file__).parent.parent / "corpus" / "prosa.txt"


def documents() -> list[str]:
    """All documents, in a fixed order."""
    written = [" ".join(block.split()) for block in PROSE.read_text().split("\n\n") if block.strip()]
    return [*written, *_countries(), *_calendar(), *_things(), *_kitchen(), *_sums()]


def _countries() -> list[str]:
    return [
        f"{name} herrialde bat da. {of} hiriburua {capital} da. {capital} hiri handia eta ezaguna da. "
        f"{inside} {language} hitz egiten da. Jende asko bizi da {inside}."
        for name, of, inside, capital, language in facts.COUNTRIES
    ]


def _calendar() -> list[str]:
    months = [
        f"{capitalised(x)}ren ondoren {y} dator, eta {y}ren aurretik {x} dago."
        for x, y in pairwise(facts.MONTHS)
    ]
    days = [
        f"{capitalised(x)}ren ondoren {y} dator, eta {y}ren aurretik {x} dago."
        for x, y in pairwise(facts.DAYS)
    ]
    seasons = [
        f"{capitalised(name)} {month} hasten da. {capitalised(inside)} {like}."
        for name, month, inside, like in facts.SEASONS
    ]
    return [" ".join(months), " ".join(days), " ".join(seasons), *months, *days, *seasons]


def _things() -> list[str]:
    colours = [
        f"{capitalised(name)} {colour} da: hori da {of} kolorea." for name, of, _, colour in facts.COLOURS
    ]
    meanings = [f"{capitalised(name)} {meaning} da." for name, meaning in facts.DEFINITIONS]
    opposites = [
        f"«{a}» hitzaren aurkakoa «{b}» da, eta «{b}» hitzaren aurkakoa «{a}»." for a, b in facts.OPPOSITES
    ]
    animals = [
        f"{capitalised(name)} {place} bizi da. {capitalised(name)}k {sound}."
        for name, sound, place in facts.ANIMALS
    ]
    return [*colours, *meanings, *opposites, *animals]


def _kitchen() -> list[str]:
    return [f"Hona hemen errezeta bat: {name}. {steps}" for name, steps in facts.HOW_TO]


def _sums() -> list[str]:
    return [
        " ".join(
            f"{capitalised(facts.NUMBERS[a])} gehi {facts.NUMBERS[b]} {facts.NUMBERS[a + b]} dira."
            for b in range(1, 11)
        )
        for a in range(1, 11)
    ]
