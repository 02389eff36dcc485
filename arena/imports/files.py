"""Files of rows in constant memory: JSON lines, plain, gzip or zstd, and Parquet, told apart by their first bytes."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pyarrow
import pyarrow.parquet

from arena.imports.plain import Raw
from ranking.errors import BadInput
from ranking.packed import unpacked
from ranking.parquet import MAGIC

LONGEST_LINE_BYTES = 1 << 25
_PARQUET_ROWS = 64
_PARQUET_BYTES = 1 << 20  # read ahead; without it a row group's column is held whole, however large


def raw_rows(path: Path) -> Iterator[tuple[int, Raw]]:
    """The rows that are not blank, each with its line, or its number in Parquet, from 1. Where the file breaks off, the last item says so."""
    line = 0
    try:
        for line, raw in _rows(path):
            yield line, raw
    except OSError as error:
        yield line, BadInput(error.strerror) if error.strerror else _broken(line + 1)
    except (EOFError, zlib.error, pyarrow.ArrowException):
        yield line, _broken(line + 1)
    except ValueError as error:  # what pyarrow has no Python value for
        yield line, BadInput(str(error), line=line + 1)


def _broken(line: int) -> BadInput:
    return BadInput("the file is damaged, or breaks off", line=line)


def _rows(path: Path) -> Iterator[tuple[int, Raw]]:
    with path.open("rb") as file:
        start = file.read(len(MAGIC))
        file.seek(0)
        yield from _parquet(file) if start == MAGIC else _lines(unpacked(file))


def _lines(file: BinaryIO) -> Iterator[tuple[int, Raw]]:
    line = 0
    while written := file.readline(LONGEST_LINE_BYTES + 1):
        line += 1
        if len(written) > LONGEST_LINE_BYTES:
            yield line, BadInput(f"is longer than {LONGEST_LINE_BYTES} bytes", line=line)
            return
        if line == 1:
            written = written.removeprefix(codecs.BOM_UTF8)
        if written.strip():
            yield line, written


def _parquet(file: BinaryIO) -> Iterator[tuple[int, Raw]]:
    number = 0
    with pyarrow.parquet.ParquetFile(file, buffer_size=_PARQUET_BYTES, pre_buffer=False) as rows:
        for batch in rows.iter_batches(batch_size=_PARQUET_ROWS, use_threads=False):
            for row in batch.to_pylist():
                number += 1
                yield number, row
