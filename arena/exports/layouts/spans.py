"""What volunteers marked in answers after their vote."""

from __future__ import annotations

from collections.abc import Iterator

from arena.exports.fields import COUNT, MOMENT, TEXT, Field
from arena.exports.layouts.base import Context, Layout, Row, moment
from arena.exports.records import Record

FIELDS = (
    Field("id", TEXT, "The mark's UUID, another one in each release."),
    Field("battle", TEXT, "The id of the vote's row in the other layouts."),
    Field("username", TEXT, "The pseudonym of who marked it, another one in each release."),
    Field("timestamp", MOMENT, "When it was marked, UTC."),
    Field("model", TEXT, "Who wrote the answer."),
    Field("turn", COUNT, "The number of the message that was answered, from 1."),
    Field("prompt", TEXT, "That message."),
    Field("before", TEXT, "The answer up to the mark."),
    Field("marked", TEXT, "What is marked."),
    Field(
        "after",
        TEXT,
        "The answer after the mark. The three together are the answer; where the mark cut through personal data, all of it is before.",
    ),
    Field("kind", TEXT, "grammar, calque, invented_word, wrong_register, factual or other."),
    Field("comment", TEXT, "What the volunteer said of it, if anything."),
    Field("rewrite", TEXT, "How it would be right, if the volunteer said so."),
)


def rows(record: Record, context: Context) -> Iterator[Row]:
    """The answer is given in three parts: offsets would count characters in one way, and readers in another."""
    for turn in record.turns:
        for side, reply in sorted(turn.replies.items()):
            for mark in reply.marks:
                yield {
                    "id": context.id(record, mark.id),
                    "battle": context.id(record),
                    "username": context.person(record),
                    "timestamp": moment(mark.at),
                    "model": record.models[side].code,
                    "turn": turn.index,
                    "prompt": turn.text,
                    "before": reply.text[: mark.start],
                    "marked": reply.text[mark.start : mark.end],
                    "after": reply.text[mark.end :],
                    "kind": mark.kind,
                    "comment": mark.comment,
                    "rewrite": mark.rewrite,
                }


LAYOUT = Layout("spans", "One row a marked passage of an answer.", FIELDS, rows, keeps_excluded=True)
