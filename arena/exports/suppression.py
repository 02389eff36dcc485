"""Small cells: what a handful of people share may tell who they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

LEAST_PEOPLE = 5


def suppressing(
    people: Mapping[tuple[str, str], int], *, least: int = LEAST_PEOPLE
) -> Callable[[str, str], tuple[str, str]]:
    """From how many people declared each level and education to what of a row's two may stand.

    A level that fewer than *least* people share is left out; so is an education that fewer share among those of the same level.
    """
    levels: Counter[str] = Counter()
    for (level, _), count in people.items():
        levels[level] += count
    told = {level for level, count in levels.items() if count >= least}
    pairs: Counter[tuple[str, str]] = Counter()
    for (level, education), count in people.items():
        pairs[level if level in told else "", education] += count

    def stands(level: str, education: str) -> tuple[str, str]:
        shown = level if level in told else ""
        return shown, education if pairs[shown, education] >= least else ""

    return stands
