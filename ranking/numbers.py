"""What a report is made of: tables and single facts as plain values, without a word of any language, so that they can be stored and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from ranking.tables import Table, Value


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of a report; without any where there are no votes to tell of.

    Parameters
    ----------
    tables
        Each under a name of its own.
    facts
        What stands alone, by name.

    Raises
    ------
    ValueError
        If a fact is not finite: it could not be stored.
    """

    tables: Sequence[Table] = ()
    facts: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not all(isfinite(value) for value in self.facts.values() if isinstance(value, float)):
            raise ValueError("a fact is not finite")

    @property
    def is_empty(self) -> bool:
        return not self.tables and not self.facts

    def has(self, name: str) -> bool:
        """Whether there is a table of that name."""
        return any(table.name == name for table in self.tables)

    def table(self, name: str) -> Table:
        """The table of that name; ``KeyError`` where there is none."""
        found = next((table for table in self.tables if table.name == name), None)
        if found is None:
            raise KeyError(name)
        return found

    def as_json(self) -> dict[str, Any]:
        """Plain types only, which :meth:`from_json` reads again to the last digit."""
        return {
            "facts": {name: _stored(value) for name, value in self.facts.items()},
            "tables": [
                {
                    "name": table.name,
                    "columns": list(table.columns),
                    "rows": [[_stored(value) for value in row] for row in table.rows],
                }
                for table in self.tables
            ],
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Numbers:
        """What :meth:`as_json` wrote."""
        tables = tuple(
            Table(each["name"], tuple(each["columns"]), tuple(map(tuple, each["rows"])))
            for each in plain["tables"]
        )
        return cls(tables, dict(plain["facts"]))


def _stored(value: Value) -> Value:
    """The database knows no negative zero."""
    return value + 0.0 if isinstance(value, float) else value
