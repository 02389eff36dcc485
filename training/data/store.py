"""Tokenised rows, in memory or mapped from files, read piece by piece."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from training.data.tokenise import Segment

Kind = Literal["documents", "chats"]
Ids = NDArray[np.unsignedinteger[Any]]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shard:
    """Segments end to end.

    Parameters
    ----------
    ids
        Of shape ``(tokens,)``.
    ends
        Where each segment ends, of shape ``(segments,)``.
    spans
        Where learning begins and ends, of shape ``(runs, 2)``, ascending: sixteen bytes a turn; None where everything is learnt.
    """

    ids: Ids
    ends: Places
    spans: Places | None


def id_type(vocabulary: int) -> np.dtype[np.unsignedinteger[Any]]:
    """The smallest type of whole numbers that holds every id, little-endian."""
    return np.dtype("<u2") if vocabulary <= 1 << 16 else np.dtype("<u4")


def shard_of(segments: Iterable[Segment], kind: Kind, vocabulary: int) -> Shard:
    """Segments in memory."""
    ids: list[NDArray[np.uint32]] = []
    spans: list[tuple[int, int]] = []
    ends: list[int] = []
    at = 0
    for each in segments:
        ids.append(np.asarray(each.ids, dtype=np.uint32))
        spans += [(at + start, at + end) for start, end in each.learnt]
        at += len(each)
        ends.append(at)
    flat = np.concatenate(ids) if ids else np.empty(0, dtype=np.uint32)
    found = np.array(spans, dtype=np.int64).reshape(-1, 2)
    return Shard(
        flat.astype(id_type(vocabulary)),
        np.array(ends, dtype=np.int64),
        found if kind == "chats" else None,
    )


class Store:
    """The segments of one source.

    Parameters
    ----------
    kind
        ``documents`` or ``chats``.
    shards
        In order.
    """

    def __init__(self, kind: Kind, shards: list[Shard]) -> None:
        self.kind: Kind = kind
        self._shards = shards
        sizes = [len(each.ends) for each in shards]
        self._first = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        self.lengths = _joined([np.diff(each.ends, prepend=0).astype(np.int32) for each in shards])

    def __len__(self) -> int:
        """How many segments."""
        return int(self._first[-1])

    @property
    def tokens(self) -> int:
        return int(self.lengths.sum(dtype=np.int64))

    @property
    def learnt(self) -> int:
        """How many tokens are learnt, each segment's first included where it is."""
        if self.kind == "documents":
            return self.tokens
        return sum(int(np.diff(each.spans).sum()) for each in self._shards if each.spans is not None)

    def piece(self, segment: int, start: int, length: int) -> tuple[Ids, NDArray[np.bool_]]:
        """Part of a segment.

        Parameters
        ----------
        segment
            Counted from 0 over all shards.
        start, length
            In tokens, inside the segment.

        Returns
        -------
        tuple of numpy.ndarray
            The ids and whether each is learnt, both of shape ``(length,)``.
        """
        at = int(np.searchsorted(self._first, segment, side="right")) - 1
        shard, inside = self._shards[at], segment - int(self._first[at])
        first = (int(shard.ends[inside - 1]) if inside else 0) + start
        ids = shard.ids[first : first + length]
        if shard.spans is None:
            return ids, np.ones(length, dtype=np.bool_)
        learnt = np.zeros(length, dtype=np.bool_)
        after = int(np.searchsorted(shard.spans[:, 1], first, side="right"))
        for begin, end in shard.spans[after:]:
            if begin >= first + length:
                break
            learnt[max(begin - first, 0) : end - first] = True
        return ids, learnt


def _joined(parts: list[NDArray[np.int32]]) -> NDArray[np.int32]:
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int32)
