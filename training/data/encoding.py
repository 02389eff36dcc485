"""Rows of files to token ids, a chunk at a time, so that processes can share the work."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from training.data.rows import BadRows, Fields, Place, messages_of, read_rows, text_of
from training.data.store import Kind, Shard, shard_of
from training.data.tokenise import Encoder, Segment, checked
from training.errors import BadData, RunFailed

_ROWS, _CHARACTERS = (
    1024,
    1 << 20,
)  # a chunk has at most so many rows, and little more than so many characters
_KEYS = ("text", "conversations", "messages")
_WAITING = 4  # chunks a process, so that none has to wait and memory is bounded


@dataclass(frozen=True, slots=True)
class Position:
    """How far inputs were read: files that are done, and rows of the next one, bad and blank ones included."""

    files: int = 0
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows as they were read, what could not be read before the last of them, and where reading goes on."""

    rows: list[tuple[Place, Fields]]
    bad: BadRows
    after: Position


@dataclass(frozen=True, slots=True)
class Encoded:
    """A chunk's segments, and what could not be used of it."""

    shard: Shard
    bad: BadRows
    after: Position


def chunks(files: list[Path], start: Position) -> Iterator[Chunk]:
    """The rows of files from a position on, in order."""
    for number in range(start.files, len(files)):
        skip = start.rows if number == start.files else 0
        bad, rows, characters = BadRows(), list[tuple[Place, Fields]](), 0
        for place, fields in read_rows(files[number], bad, skip=skip):
            kept = {key: fields[key] for key in _KEYS if key in fields}
            rows.append((place, kept))
            characters += _size(kept)
            if len(rows) == _ROWS or characters >= _CHARACTERS:
                yield Chunk(rows, _taken(bad), Position(number, place.row))
                rows, characters = [], 0
        yield Chunk(rows, bad, Position(number + 1))


def _taken(bad: BadRows) -> BadRows:
    """What was counted so far, leaving nothing behind: the file is still being read."""
    found = BadRows(located=bad.located)
    found.merge(bad)
    bad.counts.clear()
    bad.places.clear()
    return found


def _size(fields: Fields) -> int:
    return sum(len(str(value)) for value in fields.values())


def encode(encoder: Encoder, kind: Kind, chunk: Chunk) -> Encoded:
    """Segments of the rows that can be used; the others are counted by reason and located."""
    good: list[Any] = []
    for place, fields in chunk.rows:
        try:
            good.append(_input(encoder, kind, fields))
        except BadData as error:
            chunk.bad.add(place, str(error))
    segments: list[Segment] = encoder.documents(good) if kind == "documents" else encoder.chats(good)
    return Encoded(shard_of(segments, kind, encoder.vocabulary), chunk.bad, chunk.after)


def _input(encoder: Encoder, kind: Kind, fields: Fields) -> str | list[str]:
    if kind == "documents":
        return checked(text_of(fields))
    messages = messages_of(fields)
    for each in messages:
        checked(each["content"])
    return encoder.pieces(messages)


def encode_all(encoder: Encoder, kind: Kind, read: Iterable[Chunk], *, processes: int) -> Iterator[Encoded]:
    """Chunks encoded, in their order; in this process where one is asked for.

    Raises
    ------
    BadData
        Where a file breaks off.
    RunFailed
        Where a process was killed.
    """
    if processes == 1:
        yield from (encode(encoder, kind, chunk) for chunk in read)
        return
    waiting: deque[Future[Encoded]] = deque()
    with ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), initializer=_begin, initargs=(encoder.definition, kind)
    ) as pool:
        try:
            for chunk in read:
                waiting.append(pool.submit(_encode, chunk))
                if len(waiting) >= processes * _WAITING:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise RunFailed(
                "a process that tokenised was killed, perhaps for its memory; what is whole is kept"
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_worker: list[tuple[Encoder, Kind]] = []


def _begin(definition: str, kind: Kind) -> None:
    import os

    from tokenizers import Tokenizer

    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # processes are what runs side by side here
    _worker[:] = [(Encoder(Tokenizer.from_str(definition)), kind)]


def _encode(chunk: Chunk) -> Encoded:
    [(encoder, kind)] = _worker
    return encode(encoder, kind, chunk)
