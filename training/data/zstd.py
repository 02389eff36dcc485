"""A zstd file as a stream that complains where the file breaks off: zstandard's own reader takes that for the end."""

from __future__ import annotations

import io
from pathlib import Path

import zstandard

_CHUNK_BYTES = 1 << 18


class ZstdReader(io.RawIOBase):
    """Unpacks a file of one or several frames in constant memory.

    Raises
    ------
    EOFError
        From reading, where a frame has no end.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._begun = False
        self._unpacked = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # the stubs say any buffer
        while not self._unpacked and self._more():
            pass
        n = min(len(buffer), len(self._unpacked))
        buffer[:n] = self._unpacked[:n]
        self._unpacked = self._unpacked[n:]
        return n

    def close(self) -> None:
        self._file.close()
        super().close()

    def _more(self) -> bool:
        """Unpack some; false at the end of the file."""
        packed = self._frame.unused_data if self._frame.eof else b""
        if self._frame.eof:
            self._frame, self._begun = zstandard.ZstdDecompressor().decompressobj(), False
        packed = packed or self._file.read(_CHUNK_BYTES)
        if not packed:
            if self._begun:
                raise EOFError("the zstd stream breaks off")
            return False
        self._begun = True
        self._unpacked = memoryview(self._frame.decompress(packed))
        return True
