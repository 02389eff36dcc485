"""Large files that are downloaded: in parts, so that what broke off goes on where it stopped (RFC 9110, sections 13 and 14).

One range at a time: an answer to several would need a form of its own, which no tool asks for; they get the whole file, as the standard allows.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import IO

from django.core.handlers.asgi import ASGIRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header

PART_BYTES = 1 << 16
_KINDS = {
    ".md": "text/markdown; charset=utf-8",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".gz": "application/gzip",
    ".zst": "application/zstd",
    ".parquet": "application/vnd.apache.parquet",
}
_RANGE = re.compile(r"bytes[ \t]*=[ \t]*(\d{0,18})-(\d{0,18})[ \t]*", re.ASCII)


def kind_of(name: str) -> str:
    """The content type of a file that the site writes."""
    return _KINDS[name[name.rindex(".") :]]


def download(
    request: HttpRequest, path: Path, *, name: str, kind: str, sha256: str, is_public: bool = True
) -> HttpResponseBase:
    """The file at *path*, to be saved as *name*, or the range of it that is asked for. Raises ``Http404`` where there is none.

    *sha256* is the file's own, and its ETag: a range is only given of the file that the caller began with. Memory holds :data:`PART_BYTES` of it,
    under ASGI too. Whoever replaces the file does so by renaming: a download that has begun then ends with the file that it began with.
    """
    etag = f'"{sha256}"'
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": f"{'public' if is_public else 'private'}, no-cache",
        "Content-Disposition": content_disposition_header(as_attachment=True, filename=name) or "attachment",
        "ETag": etag,
    }
    # a refusal of preconditions, or 304; else what was given, which is nothing yet
    early = get_conditional_response(request, etag=etag, response=HttpResponse(headers=headers))
    if early is not None and early.status_code != HTTPStatus.OK:
        return early
    try:
        handle = path.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    size = handle.seek(0, 2)
    try:
        span = _asked_for(request, etag, size)
    except _OutsideError:
        handle.close()
        headers |= {"Content-Range": f"bytes */{size}"}
        return HttpResponse(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=headers)
    start, stop = span or (0, size)
    headers |= {"Content-Length": str(stop - start), "Content-Type": kind}
    if span is not None:
        headers |= {"Content-Range": f"bytes {start}-{stop - 1}/{size}"}
    if request.method == "HEAD":
        handle.close()
        return HttpResponse(headers=headers)
    status = HTTPStatus.OK if span is None else HTTPStatus.PARTIAL_CONTENT
    part = _Part(handle, start, stop)
    body = _AwaitedPart(part) if isinstance(request, ASGIRequest) else part
    return StreamingHttpResponse(body, status=status, headers=headers)


class _OutsideError(Exception):
    """The range begins behind the end."""


def _asked_for(request: HttpRequest, etag: str, size: int) -> tuple[int, int] | None:
    """First byte and the one behind the last; ``None`` for the whole file. Raises :class:`_OutsideError`."""
    found = _RANGE.fullmatch(request.headers.get("Range", ""))
    if request.method != "GET" or found is None or request.headers.get("If-Range", etag) != etag:
        return None
    first, last = found.groups()
    if not first and not last:
        return None
    if not first:
        start, stop = max(0, size - int(last)), size
    elif last and int(last) < int(first):
        return None
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
    if start >= size:
        raise _OutsideError
    return start, stop


class _Part:
    """From *start* to *stop*, piece by piece. Whoever has it closes it, read or not."""

    def __init__(self, handle: IO[bytes], start: int, stop: int) -> None:
        self._handle = handle
        self._left = stop - start
        handle.seek(start)

    def read(self) -> bytes:
        piece = self._handle.read(min(PART_BYTES, self._left))
        self._left -= len(piece)
        return piece

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read():
            yield piece

    def close(self) -> None:
        self._handle.close()


class _AwaitedPart:
    """The same for ASGI, where Django would else read a whole file into memory."""

    def __init__(self, part: _Part) -> None:
        self._part = part
        self.close = part.close

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := await asyncio.to_thread(self._part.read):
            yield piece
