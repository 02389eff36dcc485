"""Parquet to rows, where pyarrow is installed."""

from __future__ import annotations

import importlib
import io
from collections.abc import Collection
from typing import Any

from ranking.errors import BadInput
from ranking.rows import Table

MAGIC = b"PAR1"


def read_parquet(data: bytes, wanted: Collection[str]) -> Table:
    """The *wanted* columns of a Parquet file, as far as it has them: conversations in other columns are never unpacked.

    A row's line is its number from 1; the header's line is 0, so that errors about a missing column name the column alone.

    Raises
    ------
    BadInput
        Where pyarrow is not installed, or cannot read the file.
    """
    try:
        pyarrow: Any = importlib.import_module("pyarrow")
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise BadInput(
            "is Parquet, which needs pyarrow: pip install 'lehia[parquet]', or use CSV or JSON lines"
        ) from None
    try:
        with parquet.ParquetFile(io.BytesIO(data)) as file:
            held = tuple(file.schema_arrow.names)
            rows = file.read(columns=[name for name in held if name in wanted]).to_pylist()
    except (pyarrow.ArrowException, OSError):
        raise BadInput("the Parquet data is damaged") from None
    return Table(held, tuple(enumerate(rows, start=1)), header_line=0)
