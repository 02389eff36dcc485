"""Exports of votes that were imported, as files and as rows."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from django.core.management import call_command

from tests.arena.imported import Row

UNPACKED: dict[str, Callable[[bytes], bytes]] = {
    "jsonl": bytes,
    "jsonl.gz": gzip.decompress,
    "jsonl.zst": lambda packed: pa.CompressedInputStream(io.BytesIO(packed), "zstd").read(),
}


def report_of(folder: Path, layout: str, form: str = "jsonl", **options: Any) -> Row:
    out = io.StringIO()
    wanted = {"output": folder, "source": "b", **options}
    call_command("export_preferences", layout=layout, format=form, stdout=out, **wanted)
    found: Row = json.loads(out.getvalue())
    return found


def exported(folder: Path, layout: str, form: str = "jsonl", **options: Any) -> list[Row]:
    path = Path(report_of(folder, layout, form, **options)["file"])
    if form == "parquet":
        rows: list[Row] = pq.read_table(path).to_pylist()
        return rows
    return [json.loads(line) for line in UNPACKED[form](path.read_bytes()).splitlines()]
