"""Files that may be packed: gzip and Zstandard are told by their first bytes."""

from __future__ import annotations

import gzip
import importlib
import io
from typing import Any, BinaryIO

from ranking.errors import BadInput

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_AHEAD_BYTES = 1 << 20


def unpacked(file: BinaryIO) -> BinaryIO:
    """What is in the file, from its beginning, unpacked as it is read; the file itself where it is not packed.

    Damaged data raises ``EOFError``, ``zlib.error`` or ``OSError`` without a number where it is met. Raises ``BadInput`` where pyarrow, which unpacks
    Zstandard, is not installed.
    """
    start = file.read(len(ZSTD))
    file.seek(0)
    if start.startswith(GZIP):
        return io.BufferedReader(gzip.GzipFile(fileobj=file))
    if start != ZSTD:
        return file
    try:
        pyarrow: Any = importlib.import_module("pyarrow")
    except ImportError:
        raise BadInput("is Zstandard, which needs pyarrow; unpack it first") from None
    return io.BufferedReader(pyarrow.CompressedInputStream(file, "zstd"), _AHEAD_BYTES)
