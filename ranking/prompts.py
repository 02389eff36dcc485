"""What was asked, in numbers: lengths, languages and turns of battles; never a message itself, and nothing of a handful of people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ranking.judgements import Judgements
from ranking.selection import LENGTHS, TURNS, UNMEASURED, length_band, turns_band
from ranking.slices import FEWEST_USERS
from ranking.tables import Table, Value

QUANTILES = (10, 25, 50, 75, 90)
"""Per cent; neither the shortest nor the longest, which are single messages."""

Places = NDArray[np.int64]


def prompt_statistics(judgements: Judgements) -> tuple[Table, ...]:
    """The tables ``lengths``, ``length_bands``, ``prompt_languages`` and ``turn_counts``; none where fewer than five people wrote.

    Lengths are in characters of a battle's first message. A row of fewer than :data:`ranking.slices.FEWEST_USERS` people holds no number; and as the rows add
    up to the whole, the smallest of the others is held back too where it takes that to hide five people.
    """
    if judgements.n_users < FEWEST_USERS:
        return ()
    names, language = np.unique(judgements.languages, return_inverse=True)
    languages = tuple(str(name) or UNMEASURED for name in names)
    user = judgements.ballots.user
    return (
        _lengths(judgements),
        _counts("length_bands", "characters", LENGTHS, length_band(judgements.chars), user),
        _counts("prompt_languages", "prompt_language", languages, language.astype(np.int64), user),
        _counts("turn_counts", "messages", TURNS, turns_band(judgements.turns), user),
    )


def _lengths(judgements: Judgements) -> Table:
    chars = judgements.chars
    between = np.percentile(chars, QUANTILES)
    columns = ("votes", "users", "mean_length", *(f"p{each}" for each in QUANTILES))
    row = (judgements.n, judgements.n_users, float(chars.mean()), *map(float, between))
    return Table("lengths", columns, (row,))


def _counts(name: str, column: str, names: Sequence[str], place: Places, user: NDArray[np.integer]) -> Table:
    votes = np.bincount(place, minlength=len(names))
    people = [np.unique(user[place == index]) for index in range(len(names))]
    hidden = _hidden(people)
    rows: list[tuple[Value, ...]] = []
    for index, each in enumerate(names):
        told = (None, None, None) if index in hidden else _row(int(votes[index]), len(place), people[index])
        rows.append((each, *told))
    return Table(name, (column, "votes", "share", "users"), tuple(rows))


def _row(votes: int, n: int, people: NDArray[np.integer]) -> tuple[int, float, int]:
    return votes, votes / n, len(people)


def _hidden(people: Sequence[NDArray[np.integer]]) -> set[int]:
    """Which rows hold no number. An empty row says nothing of anybody and stays."""
    hidden = {index for index, each in enumerate(people) if 0 < len(each) < FEWEST_USERS}
    by_size = sorted((len(each), index) for index, each in enumerate(people) if len(each) >= FEWEST_USERS)
    while hidden and by_size and len(np.unique(np.concatenate([people[at] for at in hidden]))) < FEWEST_USERS:
        hidden.add(by_size.pop(0)[1])
    return hidden
