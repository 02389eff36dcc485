"""Segments into rows of one length, each segment in its own positions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from training.data.tokenise import IGNORED, Segment


@dataclass(frozen=True, slots=True)
class Row:
    """Three lists of one length; positions restart at 0 with each segment, which is what keeps segments apart."""

    input_ids: list[int]
    labels: list[int]
    position_ids: list[int]


def pack(segments: Iterator[Segment], *, length: int, pad_id: int, open_rows: int = 16) -> Iterator[Row]:
    """Rows from segments, best fit: each goes to the open row that it fills most nearly.

    Parameters
    ----------
    segments
        Documents and chats; a segment longer than a row is cut into rows of its own (documents) and must be kept short for chats.
    length
        Tokens a row.
    pad_id
        Fills a row's rest; never learnt.
    open_rows
        How many rows wait for what fits them. When one more is needed, the fullest is closed.

    Notes
    -----
    No segment that fits a row is torn. The first label of a segment is not learnt: it would be predicted from the segment before.
    """
    waiting: list[list[Segment]] = []
    for segment in segments:
        for part in _parts(segment, length):
            fitting = [row for row in waiting if _used(row) + len(part) <= length]
            if fitting:
                max(fitting, key=_used).append(part)
            else:
                waiting.append([part])
            if len(waiting) > open_rows:
                fullest = max(waiting, key=_used)
                waiting.remove(fullest)
                yield _row(fullest, length, pad_id)
    for row in waiting:
        yield _row(row, length, pad_id)


def _used(row: list[Segment]) -> int:
    return sum(map(len, row))


def _parts(segment: Segment, length: int) -> Iterator[Segment]:
    for start in range(0, len(segment), length):
        yield Segment(segment.ids[start : start + length], segment.labels[start : start + length])


def _row(row: list[Segment], length: int, pad_id: int) -> Row:
    ids = [token for segment in row for token in segment.ids]
    labels = [label for segment in row for label in (IGNORED, *segment.labels[1:])]
    positions = [place for segment in row for place in range(len(segment))]
    rest = length - len(ids)
    return Row(ids + [pad_id] * rest, labels + [IGNORED] * rest, positions + list(range(rest)))
