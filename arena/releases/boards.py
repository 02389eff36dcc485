"""The boards that a release's rows give, counted while the rows are written: what ``python -m ranking`` says of the files."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

from arena.exports.layouts import LAYOUTS
from arena.exports.records import Id, Record
from arena.releases.contents import Content
from arena.types import Side
from ranking.ballots import Ballots
from ranking.board import INDEPENDENT, build_board_from_ballots
from ranking.types import Criterion

RANKED = {
    LAYOUTS["ebaluatoia-sanitized"].name: tuple(Criterion),
    LAYOUTS["lmarena"].name: (Criterion.OVERALL,),
}
"""Layouts that ``python -m ranking`` reads, with the criteria that their columns tell."""
_NAMED = {LAYOUTS["ebaluatoia-sanitized"].name: "username"}


class Count:
    """The votes of one file, a few bytes each."""

    def __init__(self) -> None:
        self._models: dict[str, int] = {}
        self._people: dict[Id, int] = {}
        self._sides = {side: array("i") for side in Side}
        self._outcomes = {criterion: array("b") for criterion in Criterion}
        self._voters = array("i")
        self._declared: dict[tuple[str, str], set[int]] = defaultdict(set)
        self._appearances: Counter[str] = Counter()

    def note(self, record: Record) -> None:
        if record.vote is None:
            return
        for side, model in record.models.items():
            self._sides[side].append(self._models.setdefault(model.code, len(self._models)))
        for criterion, outcome in record.vote.outcomes.items():
            self._outcomes[criterion].append(outcome.place)
        person = self._people.setdefault(record.person, len(self._people))
        self._voters.append(person)
        self._declared[record.vote.level, record.vote.education].add(person)
        self._appearances.update(model.code for model in record.models.values())

    @property
    def people(self) -> int:
        return len(self._people)

    @property
    def votes(self) -> int:
        return len(self._voters)

    @property
    def declared(self) -> dict[tuple[str, str], int]:
        """How many people declared each level and education."""
        return {told: len(people) for told, people in self._declared.items()}

    @property
    def appearances(self) -> list[tuple[str, int]]:
        """In how many votes each model was judged, by its code."""
        return sorted(self._appearances.items())

    def boards(self, content: Content) -> Iterator[dict[str, Any]]:
        """One a criterion, each with the command that gives it from the file alone."""
        for criterion in RANKED.get(content.layout.name, ()):
            voter = _NAMED.get(content.layout.name) if self.people > 1 else None
            board = build_board_from_ballots(
                self._ballots(criterion), criterion=criterion, cluster=voter or INDEPENDENT
            )
            yield {
                "file": content.name,
                "criterion": criterion.value,
                "command": f"python -m ranking {content.name} --criterion {criterion.value} --format json",
                "board": board.as_json(),
            }

    def _ballots(self, criterion: Criterion) -> Ballots:
        names = tuple(sorted(self._models))
        place = np.array([names.index(code) for code in self._models], dtype=np.int64)
        a, b = (np.array(self._sides[side], dtype=np.int64) for side in Side)
        outcomes = np.array(self._outcomes[criterion], dtype=np.int64)
        return Ballots(names, place[a], place[b], outcomes, np.array(self._voters, dtype=np.int64))
