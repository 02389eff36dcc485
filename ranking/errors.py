"""What a ranking refuses.

RankingError
├── InvalidJudgements   not one of the 22 valid combinations
├── BadInput            a file or an option that cannot be used; says line and column
├── NoFit               the tally has no finite maximum of its likelihood
│   ├── DisconnectedTally
│   └── UnboundedTally
├── NotConverged        Newton's method did not reach its tolerance
└── TallyMisuse         a tally moved outside a transaction, below zero, or on a board of the other kind
"""

from __future__ import annotations


class RankingError(Exception):
    """The root of what this package raises on purpose."""


class InvalidJudgements(RankingError, ValueError):
    pass


class BadInput(RankingError):
    """A file or an option cannot be used.

    Parameters
    ----------
    message
        What is wrong.
    line
        1-based line, header included; 0 where the whole file is meant.
    column
        The column's name, or its 1-based number where it has none; empty where the whole line is meant.
    """

    def __init__(self, message: str, *, line: int = 0, column: str = "") -> None:
        where = [f"line {line}"] if line else []
        where += [f"column {column}"] if column else []
        super().__init__(f"{', '.join(where)}: {message}" if where else message)
        self.line = line
        self.column = column


class NoFit(RankingError):
    pass


class DisconnectedTally(NoFit):
    pass


class UnboundedTally(NoFit):
    pass


class NotConverged(RankingError):
    pass


class TallyMisuse(RankingError):
    pass
