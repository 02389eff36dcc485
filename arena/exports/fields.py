"""Columns: each with its type and what it says, from which Parquet's schema, the checks and the data set's card are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

TEXT, COUNT, REAL, FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()
MOMENT = TEXT
"""ISO 8601 in UTC, to the microsecond: as text it is the same in every format."""
MESSAGE = pa.struct([pa.field("role", TEXT), pa.field("content", TEXT)])
CHAT = pa.list_(MESSAGE)


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    type: pa.DataType
    about: str
    """One English sentence."""


def schema_of(fields: Sequence[Field]) -> pa.Schema:
    """With each field's sentence beside its name."""
    return pa.schema([pa.field(each.name, each.type, metadata={"about": each.about}) for each in fields])
