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


def pack(segments: Iterator[Segment], *, length: int, pad_id: int) -> Iterator[Row]:
    """Rows from segments in order.

    Parameters
    ----------
    segments
        Documents and chats; a segment longer than a row is cut into rows of its own (documents) and must be kept short for chats.
    length
        Tokens a row.
    pad_id
        Fills a row's rest; never learnt.

    Notes
    -----
    A segment that does not fit into the rest of a row starts the next one, so that no chat is torn. The first label of a segment is not learnt: it would be
    predicted from the segment before.
    """
    row: list[Segment] = []
    used = 0
    for segment in segments:
        for part in _parts(segment, length):
            if used + len(part) > length:
                yield _row(row, length, pad_id)
                row, used = [], 0
            row.append(part)
            used += len(part)


def _parts(segment: Segment, length: int) -> Iterator[Segment]:
    for start in range(0, len(segment), length):
        yield Segment(segment.ids[start : start + length], segment.labels[start : start + length])


def _row(row: list[Segment], length: int, pad_id: int) -> Row:
    ids = [token for segment in row for token in segment.ids]
    labels = [label for segment in row for label in (IGNORED, *segment.labels[1:])]
    positions = [place for segment in row for place in range(len(segment))]
    rest = length - len(ids)
    return Row(ids + [pad_id] * rest, labels + [IGNORED] * rest, positions + list(range(rest)))
