"""Personal details taken out of a battle's texts, but for what staff decided to keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from arena.exports.layouts import Layout
from arena.exports.records import Asked, Mark, Record, Reply
from arena.sanitizing import Redaction, redactions, sanitize, with_tags

_of_the_campaign = lru_cache(maxsize=64)(sanitize)


def for_layout(record: Record, layout: Layout) -> Record:
    """The record as the layout may show it."""
    return cleaned(record) if layout.is_sanitized and layout.has_texts else record


def cleaned(record: Record) -> Record:
    """Tags such as ``[EMAIL]`` in place of what may not be passed on. Marks stay on what they mark."""
    return replace(
        record,
        system_prompt=_of_the_campaign(record.system_prompt),
        turns=tuple(_turn(each) for each in record.turns),
    )


def _turn(turn: Asked) -> Asked:
    return replace(
        turn,
        text=with_tags(turn.text, redactions(turn.text, turn.decided)),
        replies={side: _reply(each) for side, each in turn.replies.items()},
    )


def _reply(reply: Reply) -> Reply:
    gone = redactions(reply.text, reply.decided)
    text = with_tags(reply.text, gone)
    return replace(reply, text=text, marks=tuple(_mark(each, gone, len(text)) for each in reply.marks))


def _mark(mark: Mark, gone: Sequence[Redaction], length: int) -> Mark:
    """A mark that cuts through what is taken out stands, empty, behind the whole text: with an end inside it could not tell what it meant."""
    is_cut = any(each.start < place < each.end for each in gone for place in (mark.start, mark.end))
    return replace(
        mark,
        start=length if is_cut else _moved(mark.start, gone),
        end=length if is_cut else _moved(mark.end, gone),
        comment=sanitize(mark.comment),
        rewrite=sanitize(mark.rewrite),
    )


def _moved(place: int, gone: Sequence[Redaction]) -> int:
    return place + sum(len(each.tag) - (each.end - each.start) for each in gone if each.end <= place)
