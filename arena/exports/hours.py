"""Times to the hour, as releases tell them: an exact time would be a key by which rows of two releases, whose pseudonyms differ, find each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import groupby

from arena.exports.pseudonyms import Pseudonyms
from arena.exports.records import Asked, Record, Reply


def hour(at: datetime) -> datetime:
    """Where the hour of *at* begins."""
    return at.replace(minute=0, second=0, microsecond=0)


def by_the_hour(records: Iterable[Record], pseudonyms: Pseudonyms) -> Iterator[Record]:
    """From records in the order of their times, those of an hour in the order of their ids, which tells nothing. Memory holds an hour of them."""
    for _, together in groupby(records, lambda each: hour(_at(each))):
        yield from sorted(map(_record, together), key=lambda each: pseudonyms.id(each.id))


def _at(record: Record) -> datetime:
    at = record.vote.at if record.vote is not None else record.ended_at
    if at is None:
        raise ValueError("a battle with neither a vote nor an end")
    return at


def _record(record: Record) -> Record:
    vote = record.vote and replace(record.vote, at=hour(record.vote.at))
    return replace(record, vote=vote, turns=tuple(_turn(each) for each in record.turns))


def _turn(turn: Asked) -> Asked:
    replies = {side: _reply(each) for side, each in turn.replies.items()}
    return replace(turn, at=hour(turn.at), replies=replies)


def _reply(reply: Reply) -> Reply:
    return replace(reply, marks=tuple(replace(each, at=hour(each.at)) for each in reply.marks))
