"""``python -m benchmarks.training``: what training costs, beside the peers where there are any. A table a part, then one line of JSON.

Each part is a module that has ``add_options(parser)`` and ``measure(options)``, which returns rows of a case, who was measured, and figures with their units in their names; an entry in
:data:`PARTS` adds one. A part that cannot be measured here says why and has no rows: a figure that was not taken is none. The status is 1 where
something failed or a row says that its goal was not reached.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import training_gpu, training_rows, training_speed

ROOT = Path(__file__).resolve().parent.parent
Rows = list[dict[str, Any]]
PARTS: dict[str, Callable[[argparse.Namespace], Rows]] = {
    "rows": training_rows.measure,
    "speed": training_speed.measure,
    "gpu": training_gpu.measure,
}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="some of the parts")
    parser.add_argument(
        "--peers", type=Path, default=ROOT / ".venv-peers" / "bin" / "python", help="the peers' Python"
    )
    for part in (training_rows, training_speed, training_gpu):
        part.add_options(parser)
    options = parser.parse_args(argv)
    rows: Rows = []
    for name in options.only:
        found = PARTS[name](options)
        if found:
            print(table(name, found), end="\n\n", flush=True)
        rows += found
    machine = {"python": platform.python_version(), "cpus": os.cpu_count(), "machine": platform.machine()}
    print(json.dumps({"bench": "training", "machine": machine, "rows": rows}))
    return 1 if any("error" in row or row.get("reached") is False for row in rows) else 0


def table(name: str, rows: Rows) -> str:
    """Rows under the names of their figures; those of different figures under each other's heads."""
    lines = [f"== {name}"]
    heads: list[str] = []
    for row in rows:
        if list(row) != heads:
            heads = list(row)
            widths = [max(len(_cell(each.get(head))) for each in [*rows, {head: head}]) for head in heads]
            lines.append("  ".join(head.rjust(width) for head, width in zip(heads, widths, strict=True)))
        cells = (_cell(row[head]).rjust(width) for head, width in zip(heads, widths, strict=True))
        lines.append("  ".join(cells))
    return "\n".join(lines)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return "" if value is None else f"{value:,}" if type(value) is int else str(value)


if __name__ == "__main__":
    sys.exit(main())
