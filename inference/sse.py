"""Server-sent events, from bytes as they arrive."""

from __future__ import annotations

from collections.abc import Iterator

from inference.errors import MalformedStream

_LONGEST_LINE = 1 << 20


class EventParser:
    """Bytes in, the data of whole events out. Any chunking gives the same events.

    Comments and fields other than ``data`` are left out; line ends may be LF, CRLF or CR; several data lines of an
    event are joined by LF, as the HTML standard has it. UTF-8 is left to the caller, who sees whole events only.
    """

    def __init__(self) -> None:
        self._buffer = b""
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The events that *chunk* completes.

        Raises
        ------
        MalformedStream
            A line is past 1 MiB.
        """
        text, held = self._buffer + chunk, b""
        if b"\r" in text:
            # one at the very end may be the first half of CRLF
            held = b"\r" if text.endswith(b"\r") else b""
            text = text[: len(text) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = text.split(b"\n")
        self._buffer = rest + held
        if len(rest) > _LONGEST_LINE:
            raise MalformedStream("an event line is past 1 MiB")
        for line in lines:
            event = self._line(line)
            if event is not None:
                yield event

    def _line(self, line: bytes) -> bytes | None:
        if not line:
            event = b"\n".join(self._data) if self._data else None
            self._data = []
            return event
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
        return None
