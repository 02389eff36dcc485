"""Tables of results as plain values, and as CSV, JSON and LaTeX. Columns have machine names; who shows a table puts labels to them."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

Value = str | int | float | bool | None
_LATEX = str.maketrans(
    {
        **{sign: f"\\{sign}" for sign in "&%$#_{}"},
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "\\": r"\textbackslash{}",
    }
)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of plain values under named columns.

    Parameters
    ----------
    name
        The table's machine name, unique on its page.
    columns
        Machine names, without repeats; the first one names the row.
    rows
        One value a column; ``None`` where there is none. Numbers are finite.

    Raises
    ------
    ValueError
        If a row is of another length, a column repeats or a number is not finite.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]

    def __post_init__(self) -> None:
        if len(set(self.columns)) != len(self.columns):
            raise ValueError(f"a column of {self.name} is named twice")
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(
                    f"a row of {self.name} holds {len(row)} values for {len(self.columns)} columns"
                )
            if any(isinstance(value, float) and not math.isfinite(value) for value in row):
                raise ValueError(f"a number of {self.name} is not finite")

    def as_json(self) -> list[dict[str, Value]]:
        """One object a row."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def to_csv(table: Table) -> str:
    """With a header, lines ending in LF; ``None`` is empty, numbers keep all their digits."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(table.rows)
    return out.getvalue()


def to_json(tables: Sequence[Table], **about: Value) -> str:
    """One object: *about*, then each table's rows under its name."""
    whole = {**about, **{table.name: table.as_json() for table in tables}}
    return json.dumps(whole, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def to_latex(table: Table, *, decimals: int = 1) -> str:
    """A ``tabular`` with booktabs rules: text left, numbers right with *decimals*, ``None`` as a dash."""
    numeric = [
        all(value is None or isinstance(value, int | float) for value in column)
        for column in zip(*table.rows, strict=True)
    ] or [False] * len(table.columns)
    shape = "".join("r" if each else "l" for each in numeric)
    lines = [
        rf"\begin{{tabular}}{{{shape}}}",
        r"\toprule",
        " & ".join(column.translate(_LATEX) for column in table.columns) + r" \\",
        r"\midrule",
        *(" & ".join(_latex(value, decimals) for value in row) + r" \\" for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _latex(value: Value, decimals: int) -> str:
    if value is None:
        return "--"
    if isinstance(value, float):
        return f"{value:.{decimals}f}"
    return str(value).translate(_LATEX)
